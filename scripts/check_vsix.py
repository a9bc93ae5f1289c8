"""Check what was packed: ``check_vsix.py FILE``. One package for every platform, small, with what it needs."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

MOST_BYTES = 6 << 20
NEEDED = (
    "extension/dist/extension.js",
    "extension/bundled/start.py",
    "extension/bundled/server/aipc/lsp/start.py",
    "extension/bundled/libs/pygls/__init__.py",
    "extension/bundled/netron/view.js",
    "extension/bundled/netron/LICENSE",
    "extension/bundled/examples/three-problems/model.py",
    "extension/extension/media/graph/panel.js",
    "extension/docs/reference/rules.md",
    "extension/bundled/start_mcp.py",
    "extension/skills/deploy-to-snapdragon/SKILL.md",
    "extension/skills/deploy-to-snapdragon/scripts/deployment.py",
)
NATIVE = (".so", ".pyd", ".dll", ".dylib", ".node")


def problems(file: Path) -> list[str]:
    found = []
    if file.stat().st_size > MOST_BYTES:
        found.append(f"{file.name} has {file.stat().st_size / 2**20:.1f} MiB, more than {MOST_BYTES >> 20}")
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
    found += [f"{name} is missing" for name in NEEDED if name not in names]
    found += [f"{name} is native code and serves one platform only" for name in sorted(names) if name.endswith(NATIVE)]
    found += [f"{name} does not belong there" for name in sorted(names) if "__pycache__" in name or "/.aipc/" in name]
    return found


if __name__ == "__main__":
    file = Path(sys.argv[1])
    wrong = problems(file)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{file}: {file.stat().st_size / 2**20:.2f} MiB")
    sys.exit(1 if wrong else 0)
