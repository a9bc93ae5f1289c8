"""The project's version, which stands in ``server/aipc/__init__.py``.

``version.py`` prints it, ``version.py 0.2.0`` sets it everywhere, ``version.py --check`` says whether the files that
other tools read (package.json, package-lock.json, CITATION.cff) agree with it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "server/aipc/__init__.py"
PLACES = {
    SOURCE: r'^__version__ = "([^"]+)"',
    "package.json": r'^  "version": "([^"]+)"',
    # The project itself stands twice in the lock file, under its name.
    "package-lock.json": r'^ +"name": "aipc",\n +"version": "([^"]+)"',
    "CITATION.cff": r"^version: (\S+)",
}
"""File -> where the version stands in it."""


def versions(root: Path = ROOT) -> dict[str, list[str]]:
    """File -> the versions that it names."""
    return {
        file: [match[1] for match in re.finditer(pattern, (root / file).read_text("utf-8"), re.MULTILINE)]
        for file, pattern in PLACES.items()
    }


def write(version: str, root: Path = ROOT) -> None:
    for file, pattern in PLACES.items():
        path = root / file
        text = path.read_text("utf-8")
        path.write_text(
            re.sub(pattern, lambda match: match[0].replace(match[1], version), text, flags=re.MULTILINE), "utf-8"
        )


def main(arguments: list[str]) -> int:
    if arguments and arguments != ["--check"]:
        if not re.fullmatch(r"\d+\.\d+\.\d+", arguments[0]):
            print(f"{arguments[0]!r} is not a version such as 0.2.0: the Marketplace takes no others", file=sys.stderr)
            return 2
        write(arguments[0])
    found = versions()
    (version,) = found[SOURCE]
    wrong = [file for file, named in found.items() if not named or set(named) != {version}]
    if wrong:
        print(f"{', '.join(wrong)}: not {version}; run python scripts/version.py {version}", file=sys.stderr)
        return 1
    print(version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
