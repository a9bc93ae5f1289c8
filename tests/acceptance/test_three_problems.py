"""The hand-written example: every unsupported node on its expression, counts equal to a plain session's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .command import Finished, aipc, text_of

DIRECT = """
import json, sys
import onnx, onnxruntime, onnxruntime_qnn
onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
chip = {"backend_path": onnxruntime_qnn.get_qnn_htp_path(), "soc_model": "57", "htp_arch": "75"}
options.add_provider_for_devices(devices, chip)
session = onnxruntime.InferenceSession(sys.argv[1], options)
names = {node.name for node in onnx.load(sys.argv[1], load_external_data=False).graph.node}
assigned = session.get_provider_graph_assignment_info()
cpu = {node.name for part in assigned if part.ep_name.startswith("CPU") for node in part.get_nodes()}
print(json.dumps({"npu": len(names - cpu), "cpu": len(names & cpu)}))
"""


@pytest.fixture(scope="module")
def checked(examples: Path, cache: Path) -> Finished:
    return aipc("check", "three-problems", "--json", cwd=examples, cache=cache)


def test_exactly_the_three_expressions_are_marked(checked: Finished) -> None:
    texts = sorted(text_of(found) for found in checked.report["findings"])
    assert texts == [
        'F.pad(features, (1, 1, 1, 1), mode="circular")',
        "self.norm(features)",
        'torch.einsum("bmchw,bnmc->bnchw", frames, links)',
    ]
    # Deploy solves all three by itself: nothing is left to do.
    assert {found["severity"] for found in checked.report["findings"]} == {"information"}
    assert all(found["fixes"] and found["fixes"][0]["proved"] for found in checked.report["findings"])
    assert checked.status == 0


def test_each_finding_carries_the_reason_of_the_compiler(checked: Finished) -> None:
    words = {text_of(found).split("(")[0]: found["compiler"] for found in checked.report["findings"]}
    assert "bmchw,bnmc->bnchw" in words["torch.einsum"]
    assert "last axis" in words["self.norm"]
    assert "constant" in words["F.pad"]


def test_placement_counts_equal_a_plain_session(checked: Finished) -> None:
    report = checked.report
    assert report["graph"], "the report names the captured graph"
    command = [sys.executable, "-c", DIRECT, report["graph"]]
    plain = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert plain.returncode == 0, plain.stderr
    expected = json.loads(plain.stdout.strip().splitlines()[-1])
    assert {key: report["placement"][key] for key in expected} == expected
    assert report["placement"]["fails"] == 0
    assert report["nodes"] == sum(expected.values())


def test_a_table_is_readable_without_json(examples: Path, cache: Path) -> None:
    finished = aipc("check", "three-problems", cwd=examples, cache=cache)
    assert finished.status == 0
    assert "einsum" in finished.stdout
    assert "Traceback" not in finished.stderr


def test_deploy_rewrites_them_and_leaves_nothing_on_the_cpu(examples: Path, cache: Path, tmp_path: Path) -> None:
    finished = aipc("deploy", "three-problems", "--output", tmp_path / "package", "--json", cwd=examples, cache=cache)
    assert finished.status == 0, finished.stderr
    assert finished.report["placement"]["cpu"] == finished.report["placement"]["fails"] == 0
    assert finished.report["accuracy"]["outputs"][0]["sqnr_db"] > 40
