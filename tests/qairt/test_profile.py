from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.errors import QairtError
from aipc.qairt.profile import by_node, read_profile

PROFILE = """Msg Timestamp,Message,Time,Unit of Measurement,Timing Source,Event Level,Event Identifier
0,FINALIZE,21171,US,BACKEND,ROOT,QNN (finalize) time
0,NODE,1740,CYCLES,BACKEND,SUB-EVENT,Input OpId_2 (cycles)
0,NODE,71115,CYCLES,BACKEND,SUB-EVENT,Transpose:OpId_17 (cycles)
0,NODE,0,CYCLES,BACKEND,SUB-EVENT,conv_token_1:OpId_22 (cycles)
0,NODE,100,CYCLES,BACKEND,SUB-EVENT,conv_token_3_2:OpId_23 (cycles)
0,NODE,54785,CYCLES,BACKEND,SUB-EVENT,conv_1:OpId_26 (cycles)
0,NODE,7,CYCLES,BACKEND,SUB-EVENT,fc/MatMulAddFusion:OpId_27 (cycles)
0,EXECUTE,15495,US,BACKEND,ROOT,QNN (execute) time
"""


def test_operators_are_attributed_to_their_onnx_nodes(tmp_path: Path) -> None:
    path = tmp_path / "profile.csv"
    path.write_text(PROFILE)
    ops = read_profile(path, ["conv", "conv_1", "fc"])
    assert [(op.node, op.op_id) for op in ops] == [
        ("", 17),
        ("conv", 22),
        ("conv", 23),
        ("conv_1", 26),
        ("fc", 27),
    ]
    assert by_node(ops) == {"": 71115, "conv_1": 54785, "conv": 100, "fc": 7}


def test_a_file_that_is_no_profile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(QairtError, match="not a QNN profile"):
        read_profile(path)
    with pytest.raises(QairtError, match="cannot be read"):
        read_profile(tmp_path / "missing.csv")
