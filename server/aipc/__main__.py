"""``python -m aipc`` and the ``aipc`` script."""

from __future__ import annotations

import sys


def main() -> None:
    from aipc.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
