"""The server starts light, and says what is missing when the SDK is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aipc.mcp.tools import all_tools

HEAVY = {"torch", "torchvision", "onnx", "onnxscript", "onnx_ir", "onnxruntime", "numpy"}


def test_no_heavy_library_is_loaded() -> None:
    script = "import sys\nfrom aipc.mcp import server, tools\ntools.all_tools()\nprint(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert set(finished.stdout.split()) & HEAVY == set()


def test_without_the_sdk_one_sentence_says_what_brings_it(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class Hidden(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        "        return None if name in ('mcp', 'mcp_types') else PathFinder.find_spec(name, path, target)\n"
        "sys.meta_path = [item for item in sys.meta_path if item is not PathFinder] + [Hidden]\n"
        "from aipc.cli import run\n"
        "sys.exit(run(['mcp']))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert finished.returncode == 2, finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1, finished.stderr
    assert "pip install 'aipc[mcp]'" in finished.stderr


def test_a_root_that_is_no_directory_is_refused() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "aipc", "mcp", "--root", "/nowhere/at/all"],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert finished.returncode == 2
    assert "is not a directory" in finished.stderr


@pytest.mark.parametrize("name", all_tools())
def test_every_tool_is_described(name: str) -> None:
    tool = all_tools()[name]
    assert 40 <= len(tool.description) <= 1024
    assert set(tool.required) <= set(tool.properties)
    assert all(schema.get("description") for schema in tool.properties.values())
    assert Path(__file__).parents[2].joinpath("server/aipc/mcp/tools", f"{name}.py").is_file()
