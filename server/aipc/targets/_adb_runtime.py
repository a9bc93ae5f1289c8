"""``qnn-net-run`` and QAIRT's libraries on a phone: which of them is used, whether it is whole, how it comes there.

Each lies in a directory of its own, ``runtime/VERSION-vARCH``, with the hashes of its files in ``SHA256SUMS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aipc.core.scratch import scratch_directory

from ._adb_files import File, push, wrong_files
from ._adb_link import Link
from ._qairt_sdk import NoSdkError, Sdk
from .base import DeviceError, Progress

SUMS = "SHA256SUMS"
RUNTIMES_KEPT = 3
"""As many stay on a phone: computers with other SDKs may use it too."""
_NAMES = 'ls "$1" 2>/dev/null; true'
_SUMS = f'cat "$1/{SUMS}" 2>/dev/null; true'


@dataclass(frozen=True, slots=True)
class Runtime:
    """``lacks``: what has to be brought before it can be used, in words; empty when it is there, whole."""

    name: str
    version: str
    lacks: tuple[str, ...] = ()


def look(link: Link, directory: str, find: Callable[[], Sdk], htp_arch: int) -> Runtime:
    """The runtime for this HTP arch: the SDK's own version where there is an SDK here, else the newest on the phone.

    Every file is hashed on the phone, against the SDK's or, without one, against what was written beside it.

    Raises:
        NoSdkError: there is neither. DeviceError: without an SDK, what is on the phone is damaged.
    """
    there = link.must("looking for QAIRT", _NAMES, directory).split("\n")
    fitting = [name for name in there if name.endswith(f"-v{htp_arch}")]
    try:
        sdk = find()
    except NoSdkError:
        if not fitting:
            raise
        newest = max(fitting, key=_order)
        _refuse_damaged(link, f"{directory}/{newest}")
        return Runtime(newest, newest.partition("-")[0])
    name = f"{sdk.version or 'unknown'}-v{htp_arch}"
    brings = f"QAIRT {sdk.version or 'of this SDK'} (qnn-net-run and its libraries for v{htp_arch})"
    if name not in fitting:
        return Runtime(name, sdk.version, (brings,))
    hashes = [(file.name, file.content_hash()) for file in _files(sdk.runtime(htp_arch))]
    wrong = wrong_files(link, f"{directory}/{name}", hashes)
    damaged = f"an undamaged {brings}: {', '.join(wrong)} is not what the SDK has"
    return Runtime(name, sdk.version, (damaged,) if wrong else ())


def bring(link: Link, paths: Sequence[Path], place: str, staging: str, progress: Progress) -> None:
    """Put the SDK's files into ``place`` on the phone, with their hashes beside them."""
    files = _files(paths)
    with scratch_directory() as local:
        sums = local / SUMS
        sums.write_text("".join(f"{file.content_hash()}  {file.name}\n" for file in files), "utf-8")
        push(link, [*files, File(SUMS, sums)], place, staging, progress)


def _files(paths: Sequence[Path]) -> list[File]:
    return [File(path.name, path, path.name == "qnn-net-run") for path in paths]


def _refuse_damaged(link: Link, place: str) -> None:
    lines = link.must("looking at QAIRT's files", _SUMS, place).splitlines()
    pairs = [(name, digest) for digest, _, name in (line.partition("  ") for line in lines) if name]
    if wrong := wrong_files(link, place, pairs):
        raise DeviceError(
            f"{', '.join(wrong)} of QAIRT on the phone is damaged",
            remedy="set QAIRT_SDK_ROOT to the Qualcomm AI Runtime SDK and run again with --setup",
        )


def _order(runtime: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", runtime))
