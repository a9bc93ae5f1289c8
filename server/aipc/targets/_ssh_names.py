"""The hosts that the user's own ssh configuration names: what can be offered without asking the network."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator
from pathlib import Path


def configured_hosts(path: Path | None = None, depth: int = 0) -> Iterator[str]:
    """Every ``Host`` of the configuration that is a name and not a pattern, in order; files it includes as well."""
    directory = Path("~/.ssh").expanduser()
    try:
        lines = (path or directory / "config").read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            fields = shlex.split(line.replace("=", " ", 1), comments=True)
        except ValueError:
            continue
        if len(fields) < 2:
            continue
        if fields[0].lower() == "host":
            yield from (word for word in fields[1:] if not set(word) & set("*?!"))
        if fields[0].lower() == "include" and depth < 4:
            for pattern in fields[1:]:
                place = Path(pattern).expanduser()
                for name in sorted(glob.glob(str(directory / place))):  # noqa: PTH207 (the pattern may be absolute)
                    yield from configured_hosts(Path(name), depth + 1)
