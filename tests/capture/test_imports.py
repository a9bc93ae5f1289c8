"""A library gets libraries, the author's code its own files, also where they have the same names."""

from __future__ import annotations

import subprocess
import sys

LOAD = """
import sys
from pathlib import Path
from aipc.capture.load import import_file
module = import_file(Path(sys.argv[1]), Path(sys.argv[1]).parent)
import cProfile, torch.utils.collect_env
print(module.mine, module.helper.__file__, sys.modules["profile"].__file__ if "profile" in sys.modules else "-")
"""


def test_files_of_library_names_break_no_library_and_serve_the_author(tmp_path):
    for name in ("signal", "random", "json", "wave", "profile", "yaml", "sympy", "networkx", "packaging", "calendar"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('run')\n")
    (tmp_path / "statistics.py").write_text("mine = 'the author\\'s'\n")
    (tmp_path / "utils.py").write_text("")
    (tmp_path / "model.py").write_text("from statistics import mine\nimport utils as helper\nimport csv, http.client\n")
    command = [sys.executable, "-P", "-c", LOAD] if sys.version_info >= (3, 11) else [sys.executable, "-c", LOAD]
    done = subprocess.run([*command, str(tmp_path / "model.py")], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["the", "author's", str(tmp_path / "utils.py"), done.stdout.split()[-1]]
    assert str(tmp_path) not in done.stdout.split()[-1]
