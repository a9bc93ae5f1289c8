"""The command line starts light: no heavy library is imported before a worker is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipc.commands import discover

HEAVY = {"torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "numpy"}


def imported_by(*arguments: str) -> set[str]:
    script = (
        "import sys, contextlib, io\n"
        "from aipc.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    status = run({list(arguments)!r})\n"
        "print(status, *sorted(sys.modules))"
    )
    words = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert words[0] == "0", words[:1]
    return set(words[1:])


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("doctor", "--json")])
def test_imports_no_heavy_library(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) & HEAVY == set()


def test_help_renders_without_rich() -> None:
    assert "rich" not in imported_by("--help")


@pytest.mark.parametrize("name", discover())
def test_every_command_has_help_and_json(name: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "aipc", name, "--help"], capture_output=True, text=True, timeout=60
    )
    assert finished.returncode == 0
    assert "Usage: aipc" in finished.stdout
    if name not in ("lsp", "mcp"):  # they speak a protocol on stdout
        assert "--json" in finished.stdout
        assert "--debug" in finished.stdout


def test_a_request_imports_what_it_needs_and_no_more() -> None:
    script = (
        "import sys\nfrom aipc import engine\n"
        "engine.check\nassert 'aipc.engine.agent_run' not in sys.modules and 'aipc.agent' not in sys.modules\n"
        "missing = [name for name in engine.__all__ if not callable(getattr(engine, name))]\n"
        "assert not missing and set(engine._HOME_OF) == set(engine.__all__), missing\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert {"aipc.commands.agent", "aipc.commands.deploy"} & imported_by("doctor", "--json") == set()
