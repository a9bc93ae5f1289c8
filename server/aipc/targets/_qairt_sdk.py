"""The user's QAIRT SDK on this computer: what of it a phone needs, and which version it is. Read, never changed."""

from __future__ import annotations

import mmap
import os
import re
from dataclasses import dataclass
from pathlib import Path

from aipc.core.errors import MissingDependencyError

VARIABLES = ("QAIRT_SDK_ROOT", "QNN_SDK_ROOT")
_ANDROID = "aarch64-android"
_BUILD = re.compile(rb"v(\d+\.\d+\.\d+)\.\d{12}")
"""How QAIRT's libraries write their own version, for example ``v2.51.0.260929181845``."""


class NoSdkError(MissingDependencyError):
    """Nobody named an SDK; one that is named and is none is another error."""


@dataclass(frozen=True, slots=True)
class Sdk:
    root: Path
    version: str

    def runtime(self, htp_arch: int) -> tuple[Path, ...]:
        """``qnn-net-run`` and the libraries it needs on a phone with this HTP arch.

        Raises:
            MissingDependencyError: the SDK lacks one of them.
        """
        libraries = self.root / "lib" / _ANDROID
        skel = self.root / "lib" / f"hexagon-v{htp_arch}" / "unsigned" / f"libQnnHtpV{htp_arch}Skel.so"
        wanted = (
            self.root / "bin" / _ANDROID / "qnn-net-run",
            libraries / "libQnnHtp.so",
            libraries / "libQnnSystem.so",
            libraries / f"libQnnHtpV{htp_arch}Stub.so",
            skel,
        )
        for path in wanted:
            if not path.is_file():
                raise MissingDependencyError(
                    f"the QAIRT SDK in {self.root} has no {path.relative_to(self.root)}",
                    remedy="set QAIRT_SDK_ROOT to a complete Qualcomm AI Runtime SDK that knows this chip",
                )
        return wanted

    def profile_viewer(self) -> Path | None:
        """The host's program that turns a profile into text, where the SDK has one for this machine."""
        for name in ("x86_64-linux-clang", "aarch64-oe-linux-gcc11.2", "x86_64-windows-msvc", "arm64x-windows-msvc"):
            program = (
                self.root / "bin" / name / ("qnn-profile-viewer.exe" if "windows" in name else "qnn-profile-viewer")
            )
            if program.is_file() and os.access(program, os.X_OK):
                return program
        return None


def find_sdk(setting: str = "") -> Sdk:
    """The SDK that ``setting`` or the environment names.

    Raises:
        NoSdkError: none is named. MissingDependencyError: what is named is none.
    """
    named = [("sdk", setting), *((name, os.environ.get(name, "")) for name in VARIABLES)]
    for name, value in named:
        if not value:
            continue
        root = Path(value).expanduser()
        library = root / "lib" / _ANDROID / "libQnnHtp.so"
        if not library.is_file():
            raise MissingDependencyError(
                f"{name} names {root}, which is no QAIRT SDK with Android's libraries",
                remedy="set QAIRT_SDK_ROOT to the directory of the SDK that has bin/ and lib/aarch64-android/",
            )
        return Sdk(root, _version(library) or _version_of_name(root))
    raise NoSdkError(
        "qnn-net-run and the phone's libraries are not here: no QAIRT SDK is named",
        remedy="download the Qualcomm AI Runtime SDK and set QAIRT_SDK_ROOT to its directory",
    )


def _version(library: Path) -> str:
    """The version that the library carries in itself, "" when it carries none."""
    with library.open("rb") as stream:
        if library.stat().st_size == 0:
            return ""
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            match = _BUILD.search(content)
            return match[1].decode("ascii") if match else ""


def _version_of_name(root: Path) -> str:
    """SDKs unpack into a directory of their version: ``qairt/2.51.0.260929``."""
    match = re.match(r"\d+\.\d+\.\d+", root.resolve().name)
    return match[0] if match else ""
