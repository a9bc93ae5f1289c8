"""A directory laid out as a QAIRT SDK is: small files for the libraries, stand-ins for the two programs."""

from __future__ import annotations

import sys
from pathlib import Path

from aipc.qairt.runtime import qairt_version

_PROGRAM = Path(__file__).with_name("qnn_net_run.py")


def make_sdk(root: Path, version: str | None = None, *, archs: tuple[int, ...] = (75, 79)) -> Path:
    """``version``: what the libraries say of themselves; the installed QAIRT's by default."""
    build = f"v{version or qairt_version()}.260929181845"
    libraries = root / "lib" / "aarch64-android"
    libraries.mkdir(parents=True)
    for name in ("libQnnHtp.so", "libQnnSystem.so", *(f"libQnnHtpV{arch}Stub.so" for arch in archs)):
        (libraries / name).write_bytes(b"\x7fELF " + name.encode() + b"\0" + build.encode() + b"\0")
    for arch in archs:
        skel = root / "lib" / f"hexagon-v{arch}" / "unsigned" / f"libQnnHtpV{arch}Skel.so"
        skel.parent.mkdir(parents=True)
        skel.write_bytes(b"\x7fELF skel\0" + build.encode())
    # The phone's programs run on this computer: its own libraries are not to be found there first.
    _script(
        root / "bin" / "aarch64-android" / "qnn-net-run",
        'export PHONE_LD_LIBRARY_PATH="$LD_LIBRARY_PATH"; unset LD_LIBRARY_PATH\n'
        f'exec "{sys.executable}" "{_PROGRAM}" "$@"',
    )
    _script(
        root / "bin" / "x86_64-linux-clang" / "qnn-profile-viewer",
        '[ "$1" = --input_log ] && [ "$3" = --output ] || exit 2\nexec cp "$2" "$4"',
    )
    return root


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
