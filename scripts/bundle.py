"""Fill ``bundled/`` for the extension: the engine, pure-Python libraries, Netron's viewer and the example.

Light libraries only, as wheels for any platform, so that one .vsix serves every platform; torch, onnx and
onnxruntime-qnn come from the user's own environment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = ROOT / "bundled"

LIBRARIES = (
    "pygls>=2.0,<3",
    "lsprotocol>=2025.0.0",
    "attrs",
    "cattrs>=24.1",
    "exceptiongroup>=1.2",
    "filelock>=3.15",
    "platformdirs>=4.2",
    "tomlkit>=0.13",
    "typing-extensions>=4.12",
)
LEAST_PYTHON = "3.10"


def libraries(out: Path) -> None:
    """Wheels that run on any platform and any Python that we support."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(out)]
    command += ["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"]
    command += ["--python-version", LEAST_PYTHON, "--no-compile", "--upgrade", *LIBRARIES]
    subprocess.run(command, check=True)
    native = [path for path in out.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]
    if native:
        raise SystemExit(f"{native[0].relative_to(out)} is native code: the package would not serve every platform")
    shutil.rmtree(out / "bin", ignore_errors=True)


def copy(source: Path, out: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".aipc")
    shutil.copytree(source, out, ignore=ignored)


def _configuration(model: dict[str, Any]) -> str:
    """The example's own entry, as the configuration of a project of its own."""
    inputs = ", ".join(f'{name} = "{shape}"' for name, shape in model["inputs"].items())
    entry = model["entry"].rpartition("/")[2]
    return f"""\
[tool.aipc]
soc = "sm8650"

[tool.aipc.models.three-problems]
entry = "{entry}"
inputs = {{ {inputs} }}
"""


def main() -> None:
    for name in ("libs", "server", "examples", "netron"):
        shutil.rmtree(BUNDLED / name, ignore_errors=True)
    libraries(BUNDLED / "libs")
    copy(ROOT / "server" / "aipc", BUNDLED / "server" / "aipc")
    copy(ROOT / "examples" / "three-problems", BUNDLED / "examples" / "three-problems")
    example = tomllib.loads((ROOT / "examples" / "pyproject.toml").read_text("utf-8"))["tool"]["aipc"]
    configuration = BUNDLED / "examples" / "three-problems" / "pyproject.toml"
    configuration.write_text(_configuration(example["models"]["three-problems"]), "utf-8")
    subprocess.run([sys.executable, str(ROOT / "scripts" / "copy_netron.py"), str(BUNDLED / "netron")], check=True)


if __name__ == "__main__":
    main()
