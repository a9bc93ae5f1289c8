"""QNN's reasons reach us whatever the process did with QNN before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .models import node, noise, save

AFTER_A_QUIET_SESSION = """
import sys
from aipc.qairt.session import attempt, open_session
from aipc.qairt.soc import get_soc
session = open_session(sys.argv[1], get_soc("sm8650"), verbose=False)
print("\\n".join(line.message for line in attempt(sys.argv[1], get_soc("qcs6490"), finalize=True).log))
"""

NESTED = """
import sys
from aipc.qairt.log_capture import captured_log
from aipc.qairt.session import open_session
from aipc.qairt.soc import get_soc
with captured_log() as outer:
    with captured_log() as inner:
        pass
    open_session(sys.argv[1], get_soc("sm8650"))
print(len(outer.lines), len(inner.lines))
"""


def _told(script: str, model: Path) -> str:
    command = [sys.executable, "-c", script, str(model)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def _relu(folder: Path) -> Path:
    return save(folder / "m.onnx", [node("Relu", ["x"], ["y"], "relu")], {"x": noise(1, 4, 8, 8)}, ["y"])


def test_a_quiet_session_before_does_not_silence_the_reasons(tmp_path: Path) -> None:
    assert "doesn't support FP16" in _told(AFTER_A_QUIET_SESSION, _relu(tmp_path))


def test_a_capture_inside_a_capture_does_not_end_it(tmp_path: Path) -> None:
    outer, inner = map(int, _told(NESTED, _relu(tmp_path)).split()[-2:])
    assert outer > 100
    assert inner == 0
