"""``python -m aipc`` and the ``aipc`` script."""

from __future__ import annotations

import sys

from aipc.core._paths import leave_working_directory

# Before anything else is imported: with -m, Python looks into the working directory first.
leave_working_directory()


def main() -> None:
    from aipc.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
