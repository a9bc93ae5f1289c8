"""Files onto a phone: in parts, hashed there, renamed when whole; a push cut short is taken up where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._adb_link import Link
from .base import DeviceError, Progress

PART_BYTES = 4 << 20
_MEGABYTE = 1e6

# $1 directory; then pairs: name, SHA-256. Prints the names that are missing or different.
_WRONG = """
cd "$1" 2>/dev/null || { shift; while [ $# -gt 1 ]; do echo "$1"; shift 2; done; exit 0; }
shift
while [ $# -gt 1 ]; do
  sum=$(sha256sum < "$1" 2>/dev/null); [ "${sum%% *}" = "$2" ] || echo "$1"; shift 2
done
"""
# $1 directory, $2 name. Prints size and SHA-256 of what is there already.
_THERE = """
mkdir -p "$1" && cd "$1" || exit 1
case "$2" in */*) mkdir -p "${2%/*}" ;; esac
rm -f "$2.part"
[ -f "$2" ] || { echo 0 none; exit 0; }
sum=$(sha256sum < "$2"); echo "$(stat -c %s "$2") ${sum%% *}"
"""
# $1 directory, $2 name: append the part that was just sent. Prints the new size.
_APPEND = 'cd "$1" && cat "$2.part" >> "$2" && rm "$2.part" && stat -c %s "$2"'
# $1 staging, $2 final place, $3 parent of it: the whole becomes visible in one step.
_INSTALL = 'mkdir -p "$3" && rm -rf "$2" && sync && mv "$1" "$2"'
# $1 directory, $2 name in it that is in use, $3 how many stay: those that were not used for longest are removed.
_FORGET = """
cd "$1" 2>/dev/null || exit 0
touch "$2" 2>/dev/null
kept=0
ls -1t | while IFS= read -r name; do
  kept=$((kept + 1))
  [ "$kept" -le "$3" ] || [ "$name" = "$2" ] || rm -rf "./$name"
done
exit 0
"""
_FREE = 'd=$1; while [ ! -d "$d" ]; do d=${d%/*}; [ -n "$d" ] || d=/; done; df -k "$d"'


@dataclass(frozen=True, slots=True)
class File:
    """A file to push. ``name`` is its path in the place, which stays inside; ``executable``: it is started there."""

    name: str
    path: Path
    executable: bool = False

    def content_hash(self, size: int | None = None) -> str:
        """SHA-256 of the file, or of its first ``size`` bytes."""
        digest = hashlib.sha256()
        left = self.path.stat().st_size if size is None else size
        with self.path.open("rb") as stream:
            while left > 0 and (chunk := stream.read(min(left, 1 << 20))):
                digest.update(chunk)
                left -= len(chunk)
        return digest.hexdigest()


def free_bytes(link: Link, place: str) -> int | None:
    """Free space where ``place`` lies or will lie; None when the phone's df says nothing that can be read."""
    lines = link.run(_FREE, place).out.strip().splitlines()
    fields = " ".join(lines[1:]).split()
    numbers = [int(word) for word in fields if word.isdigit()]
    return numbers[2] * 1024 if len(numbers) >= 3 else None


def wrong_files(link: Link, place: str, hashes: Sequence[tuple[str, str]]) -> list[str]:
    """The names of those files in ``place`` that are missing there or other than wanted, by the phone's own hash."""
    arguments = [word for pair in hashes for word in pair]
    return link.must("checking the files", _WRONG, place, *arguments, seconds=600).split("\n")[:-1]


def push(link: Link, files: Sequence[File], place: str, staging: str, progress: Progress) -> bool:
    """Bring ``files`` to the directory ``place`` on the phone, all of them or none. False when they were there already.

    Raises:
        DeviceError: the phone is gone, full, or what it has does not become what was sent.
    """
    hashes = [(file.name, file.content_hash()) for file in files]
    if not wrong_files(link, place, hashes):
        progress("there already", 1.0)
        return False
    total = sum(file.path.stat().st_size for file in files)
    sent = 0
    for file in files:
        sent = _push_file(link, file, staging, progress, sent, total)
    wrong = wrong_files(link, staging, hashes)
    if wrong:
        link.run('rm -rf "$1"', staging)
        raise DeviceError(
            f"{wrong[0]} is not on the phone what was sent",
            remedy="run again; if it stays, the phone's storage or the cable is faulty",
        )
    starters = [f"{staging}/{file.name}" for file in files if file.executable]
    if starters:
        link.must("making the tools executable", 'chmod 755 "$@"', *starters)
    link.must("putting the files in their place", _INSTALL, staging, place, place.rpartition("/")[0])
    return True


def forget_old(link: Link, place: str, keep: int) -> None:
    """Of the directories beside ``place``, which is in use, keep the ``keep`` that were used last."""
    directory, _, name = place.rpartition("/")
    link.must("removing what is old", _FORGET, directory, name, str(keep), seconds=600)


def _push_file(link: Link, file: File, staging: str, progress: Progress, sent: int, total: int) -> int:
    size = file.path.stat().st_size
    there, digest = link.must("looking at what is there", _THERE, staging, file.name, seconds=600).split()
    have = int(there)
    if have > size or (have and digest != file.content_hash(have)):
        link.must("removing a broken part", 'rm -f "$1"', f"{staging}/{file.name}")
        have = 0
    with file.path.open("rb") as stream:
        stream.seek(have)
        while have < size or size == 0:
            progress(f"{(sent + have) / _MEGABYTE:.1f} of {total / _MEGABYTE:.1f} MB", (sent + have) / max(total, 1))
            part = stream.read(PART_BYTES)
            _send(link, part, f"{staging}/{file.name}.part", staging)
            now = int(link.must("appending a part", _APPEND, staging, file.name, seconds=600).split()[-1])
            have += len(part)
            if now != have:
                raise DeviceError(f"{file.name} has {now} bytes on the phone and {have} were sent", remedy="run again")
            if size == 0:
                break
    progress(f"{(sent + size) / _MEGABYTE:.1f} of {total / _MEGABYTE:.1f} MB", (sent + size) / max(total, 1))
    return sent + size


def _send(link: Link, part: bytes, place: str, staging: str) -> None:
    try:
        link.send(part, place)
    except DeviceError as error:
        # ADB's own words for a full disk do not come through: ask the phone, if it is still there.
        try:
            free = free_bytes(link, staging)
        except DeviceError:
            raise error from None
        if free is not None and free < len(part) + (1 << 20):
            raise DeviceError(
                f"the phone is full: {free / _MEGABYTE:.1f} MB are free",
                remedy="free some space on it and run again: what was pushed is kept and taken up",
                detail=error.detail,
            ) from error
        raise
