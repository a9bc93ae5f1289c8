"""The server that the extension brings, with an interpreter that has the author's libraries and not AIPC."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, runpy, sys
runpy.run_path(sys.argv[1])
from aipc.core.workers import WorkerPool

with WorkerPool() as pool:
    pool.warm()
    found = pool.run("aipc.core.where:where", {})
print(json.dumps(found))
"""
WHERE = """
import sys

def where(report):
    import aipc
    return {"aipc": aipc.__file__, "warm": "torch" in sys.modules, "path": sys.path}
"""


def test_its_workers_run_its_own_code_and_are_warm(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    # Named this way, the libraries are there and what they install for development is not: no AIPC.
    (site / "author.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", "utf-8")
    bundle = tmp_path / "bundle"
    shutil.copytree(ROOT / "server", bundle / "server", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "bundled" / "start.py", bundle)
    (bundle / "libs").mkdir()
    (bundle / "server" / "aipc" / "core" / "where.py").write_text(WHERE, "utf-8")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    alone = subprocess.run([python, "-c", "import aipc.core"], capture_output=True, env=environment, check=False)
    assert alone.returncode == 1, "this interpreter must not have AIPC"
    done = subprocess.run(
        [python, program, bundle / "start.py"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["aipc"]).is_relative_to(bundle / "server")
    assert found["warm"], "the worker imported PyTorch by itself"
    assert found["path"][-1] == str(bundle / "libs")
