"""Build what goes to the registries, and try it as a user gets it. Nothing is uploaded.

``release.py`` does every step; ``release.py build light`` only these:

    build      sdist and wheel into dist/, twice, byte for byte equal; twine check
    light      the wheel without extras in a clean environment: the commands start, the interface is typed
    pythons    the same with every supported Python that is installed; those that are not are named
    full       the wheel with each extra in a clean environment: doctor, check and deploy of a small model
    vsix       the extension: packed, checked, its files listed
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import tomlkit
import version

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
STEPS = ("build", "light", "pythons", "full", "vsix")

MODEL = """\
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return torch.relu(self.conv(x))

    @staticmethod
    def example_inputs():
        return torch.rand(1, 3, 8, 8)


class Wider(Net):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
"""
"""What the full check deploys."""

IMPORTS = {
    "aihub": "qai_hub",
    "mcp": "mcp",
    "agent": "openai",
    "engine": "onnxruntime_qnn",
    "evaluate": "jiwer, pycocotools, torchmetrics",
    "sweep": "distributed",
    "examples": "accelerate, gguf, nudenet, rapidocr, skimage, timm, torchvision, transformers, ultralytics",
}
"""Extra -> what it brings."""

SWEEP = """\
[tool.aipc.models]
one = { entry = "model.py:Net" }
two = { entry = "model.py:Wider" }
"""
"""What the extra ``sweep`` is tried with."""


def run(*command: str | Path, cwd: Path = ROOT, output: bool = False) -> str:
    """Run a command to its end; its stdout with ``output``."""
    print("+", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(item) for item in command],
        cwd=cwd,
        check=True,
        text=True,
        env=environment,
        stdout=subprocess.PIPE if output else None,
    )
    return done.stdout or ""


def build(dist: Path = DIST) -> Path:
    """sdist and wheel, reproducible and with complete metadata; the wheel."""
    number = version.versions()[version.SOURCE][0]
    if version.main(["--check"]):
        raise SystemExit(1)
    # The time of the last commit, so that everyone builds the same archive of it.
    os.environ["SOURCE_DATE_EPOCH"] = run("git", "log", "-1", "--format=%ct", output=True).strip()
    digests = []
    for _ in range(2):
        for old in dist.glob(f"aipc-{number}*"):
            old.unlink()
        run(sys.executable, "-m", "build", "--outdir", dist, ROOT)
        files = sorted(dist.glob(f"aipc-{number}*"))
        digests.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    if digests[0] != digests[1]:
        raise SystemExit(f"two builds differ: {digests}")
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    return next(path for path in files if path.suffix == ".whl")


def environment(folder: Path, wheel: Path, extra: str = "", python: str = sys.executable) -> Path:
    """A clean virtual environment with the wheel; its directory of programs."""
    run(python, "-m", "venv", "--clear", folder)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "-q", f"{wheel}[{extra}]" if extra else wheel)
    run(programs / "python", "-m", "pip", "check")
    return programs


def light(wheel: Path, python: str = sys.executable) -> None:
    """Without extras: every command starts, doctor names what is missing, ``import aipc`` works."""
    with tempfile.TemporaryDirectory() as temporary:
        programs = environment(Path(temporary) / "env", wheel, python=python)
        for command in (("--version",), ("check", "--help"), ("skills", "--json")):
            run(programs / "aipc", *command, cwd=Path(temporary))
        needs = subprocess.run([programs / "aipc", "explain", "pad-mode"], capture_output=True, text=True)
        if "run pip install 'aipc[engine]'" not in needs.stderr:
            raise SystemExit(f"a command that needs the engine does not say so: {needs.stderr}")
        found = subprocess.run([programs / "aipc", "doctor", "--json"], capture_output=True, text=True)
        report = json.loads(found.stdout)
        if report["ok"] or not any("torch" in item["name"].lower() for item in report["items"] if not item["ok"]):
            raise SystemExit("doctor does not say that PyTorch is missing")
        script = "import aipc, pathlib; print(aipc.check, pathlib.Path(aipc.__file__).with_name('py.typed').stat())"
        run(programs / "python", "-c", script, cwd=Path(temporary))


def pythons(wheel: Path) -> None:
    """The light part with each Python that the metadata names."""
    missing = []
    for number in supported_pythons():
        python = interpreter(number)
        if python:
            light(wheel, python)
        else:
            missing.append(number)
    print(f"not installed, and so not tried: Python {', '.join(missing)}" if missing else "tried with every Python")


def supported_pythons() -> list[str]:
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text("utf-8")).unwrap()["project"]
    found = (item.rpartition(" :: ")[2] for item in project["classifiers"] if "Python :: 3." in item)
    return sorted(found, key=lambda number: int(number.partition(".")[2]))


def interpreter(number: str) -> str:
    """The Python of this version that starts, or ""."""
    for name in (f"python{number}", *map(str, Path.home().glob(f".pyenv/versions/{number}.*/bin/python"))):
        path = shutil.which(name)
        words = subprocess.run([path, "--version"], capture_output=True, text=True).stdout if path else ""
        if path and words.startswith(f"Python {number}."):
            return path
    return ""


def full(wheel: Path, extras: Iterable[str] = tuple(IMPORTS)) -> None:
    """With each extra, ``engine`` beside it: what it brings is there, doctor finds nothing wrong, a model is checked
    and deployed, and its package runs by itself. ``sweep`` deploys two models on two Dask workers instead.
    """
    for extra in extras:
        modules = IMPORTS[extra]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            programs = environment(folder / "env", wheel, extra if extra == "engine" else f"engine,{extra}")
            run(programs / "python", "-c", f"import {modules}", cwd=folder)
            (folder / "model.py").write_text(MODEL)
            run(programs / "aipc", "doctor", cwd=folder)
            run(programs / "aipc", "check", "model.py:Net", cwd=folder)
            if extra == "sweep":
                (folder / "pyproject.toml").write_text(SWEEP)
                run(programs / "aipc", "sweep", "--workers", "2", cwd=folder)
            else:
                run(programs / "aipc", "deploy", "model.py:Net", "--output", "package", cwd=folder)
                run(programs / "python", "package/run.py", "--self-test", cwd=folder)


def vsix() -> None:
    """The extension as the Marketplace and Open VSX take it."""
    run("make", "vsix")
    run("npx", "vsce", "ls", "--no-dependencies")


def main(steps: list[str]) -> int:
    if unknown := [step for step in steps if step not in STEPS]:
        print(f"{unknown[0]} is no step; steps are {', '.join(STEPS)}", file=sys.stderr)
        return 2
    wanted = steps or list(STEPS)
    DIST.mkdir(exist_ok=True)
    wheel = build() if "build" in wanted else max(DIST.glob("aipc-*.whl"), key=lambda path: path.stat().st_mtime)
    for step in wanted:
        if step in {"light", "pythons", "full"}:
            globals()[step](wheel)
        elif step == "vsix":
            vsix()
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    print("built and checked; nothing was uploaded")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"The release is not checked: {' '.join(error.cmd)} ended with status {error.returncode}.")
