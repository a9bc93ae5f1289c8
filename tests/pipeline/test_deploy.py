"""From a class in a file to a verified package, with the real compiler and simulator."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.errors import InputError, StorageError
from aipc.core.types import Severity
from aipc.pipeline.journal import read_journal
from aipc.pipeline.stages import all_stages


def test_every_stage_ran_and_every_gate_passed(deployed):
    assert deployed.ok
    assert [record.name for record in deployed.stages] == [stage.name for stage in all_stages()]
    assert all(record.gate.ok for record in deployed.stages if record.gate)
    assert deployed.placement["cpu"] == deployed.placement["fails"] == 0
    assert deployed.latency is None


def test_outputs_have_the_model_s_own_names_and_pass(deployed):
    accuracy = {output.name: output for output in deployed.accuracy["outputs"]}
    assert set(accuracy) == {"map", "mean"}
    assert all(output.sqnr_db > 40 and output.ideal_fp16_sqnr_db > 40 for output in accuracy.values())


def test_the_package_is_whole_and_says_what_it_is(deployed):
    package = Path(deployed.package)
    manifest = json.loads((package / "manifest.json").read_text())
    assert (manifest["soc"], manifest["htp_arch"], manifest["precision"]) == ("sm8650", 75, "fp16")
    assert set(manifest["gates"]) == {record.name for record in deployed.stages if record.gate}
    assert {"model.onnx", "run.py", "golden/inputs.npz", "golden/outputs.npz"} <= set(manifest["files"])
    assert (package / "report.html").is_file()


def test_the_journal_tells_the_run(deployed):
    events = read_journal(Path(deployed.run))
    assert [event["event"] for event in events][:2] == ["run started", "stage started"]
    assert events[-1]["event"] == "run done"
    assert events[-1]["ok"] is True


def test_an_unchanged_model_comes_from_the_cache_and_so_does_one_with_a_new_comment(project, pool, deployed):
    again = engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)
    assert not [record.name for record in again.stages if not record.cached]
    source = project / "model.py"
    source.write_text("# a comment\n" + source.read_text())
    commented = engine.deploy(engine.DeployRequest("model.py:Small", cwd=project), pool)
    cached = {record.name: record.cached for record in commented.stages}
    assert cached == {name: name != "capture" for name in cached}


def test_another_soc_shares_the_capture_only(project, pool, deployed):
    # A chip that no other test of this folder compiles for: the cache is one.
    other = engine.deploy(engine.DeployRequest("model.py:Small", soc="sm8850", cwd=project), pool)
    assert other.ok
    cached = {record.name: record.cached for record in other.stages}
    assert cached["capture"]
    assert cached["verify capture"]
    assert not cached["compile"]
    assert Path(other.package) != Path(deployed.package)


def test_a_node_on_the_cpu_stops_the_deployment_with_a_capsule_unless_it_is_allowed(project, pool):
    stopped = engine.deploy(engine.DeployRequest("model.py:Determinant", cwd=project), pool)
    assert not stopped.ok
    assert stopped.package is None
    failed = stopped.stages[-1]
    assert (failed.name, failed.gate.value) == ("rewrite", 1.0)
    capsule = Path(stopped.capsule)
    names = {path.name for path in capsule.iterdir()}
    assert {"model.onnx", "inputs.npz", "README.md", "findings.json", "environment.json"} <= names
    alone = engine.check(engine.CheckRequest(str(capsule / "model.onnx"), soc="sm8650", cwd=capsule), pool)
    assert (alone.nodes, alone.placement["cpu"]) == (1, 1)
    allowed = engine.deploy(engine.DeployRequest("model.py:Determinant", cwd=project, allow_cpu=True), pool)
    assert allowed.ok
    assert allowed.placement["cpu"] == 1
    (finding,) = allowed.findings
    assert finding.severity is Severity.WARNING
    assert finding.evidence["choices"][0]["options"]


def test_what_the_npu_refuses_is_rewritten_proved_and_told(project, pool):
    report = engine.deploy(engine.DeployRequest("model.py:Ring", cwd=project), pool)
    assert report.ok
    assert report.placement["cpu"] == 0
    (finding,) = report.findings
    assert finding.severity is Severity.INFORMATION
    assert [(fix.rule, fix.proved) for fix in finding.fixes] == [("pad-circular", True)]
    (record,) = [record for record in report.stages if record.name == "rewrite"]
    assert record.gate.ok
    assert "pad-circular" in record.note
    checked = engine.check(engine.CheckRequest("model.py:Ring", cwd=project), pool)
    assert [finding.severity for finding in checked.findings] == [Severity.INFORMATION]


def test_corrective_captures_are_tried_and_journaled(project, pool):
    report = engine.deploy(engine.DeployRequest("model.py:Branching", cwd=project), pool)
    assert not report.ok
    assert [finding.rule for finding in report.findings] == ["capture-data-dependent"]
    measures = [event["measure"] for event in read_journal(Path(report.run)) if event["event"] == "corrective"]
    assert len(measures) == 1, "no operator set changes what the trace refuses"
    assert "two traces" in measures[0]
    assert [(item.name, item.helped) for item in report.remedies] == [("capture-two-traces", False)]
    assert [record.name for record in report.stages] == ["capture"], "what did not help is left out again"


def test_a_precision_that_is_not_there_is_refused_in_one_sentence(project, pool):
    with pytest.raises(InputError, match="no precision called 'w3a8'"):
        engine.deploy(engine.DeployRequest("model.py:Small", precision="w3a8", cwd=project), pool)


def test_a_directory_that_is_no_package_is_not_overwritten(project, pool, deployed, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(StorageError, match="is not replaced"):
        engine.deploy(engine.DeployRequest("model.py:Small", cwd=project, out=tmp_path), pool)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_run_and_verify_use_the_package_alone(deployed, pool, tmp_path):
    package = Path(deployed.package)
    ran = engine.run_package(package, output=tmp_path / "out.npz", pool=pool)
    assert ran.latency is None
    with np.load(tmp_path / "out.npz") as outputs:
        assert set(outputs.files) == {"map", "mean"}
    verified = engine.verify(package, pool=pool)
    assert verified.ok
    assert verified.gate.value > 40


def test_buckets_of_a_dimension_become_packages(project, pool):
    (project / "text.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef build():\n    torch.manual_seed(0)\n    return nn.Linear(8, 4)\n"
    )
    configuration = project / "pyproject.toml"
    before = configuration.read_text()
    table = '[tool.aipc.models.text]\nentry = "text.py:build"\ninputs = "float32[1,length,8]"\n'
    configuration.write_text(before + table + "dims = { length = [16, 32] }\n")
    try:
        report = engine.deploy(engine.DeployRequest("text", cwd=project), pool)
    finally:
        configuration.write_text(before)
    assert report.ok
    assert set(report.packages) == {"length-16", "length-32"}
    for name, package in report.packages.items():
        manifest = json.loads((Path(package) / "manifest.json").read_text())
        assert manifest["inputs"][0]["shape"] == [1, int(name.removeprefix("length-")), 8]


LSTM = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.rnn = nn.LSTM(10, 20, batch_first=True)

    def forward(self, frames):
        return self.rnn(frames)[0]

    @staticmethod
    def example_inputs():
        return (torch.randn(1, 4, 10, generator=torch.Generator().manual_seed(0)),)
"""


def test_a_recurrent_layer_that_misses_its_accuracy_becomes_its_gates(project, pool):
    (project / "recurrent.py").write_text(LSTM, "utf-8")
    report = engine.deploy(engine.DeployRequest("recurrent.py:Model", cwd=project), pool)
    assert report.ok, report.stages[-1]
    assert ("rewrite-coarse", True) in [(item.name, item.helped) for item in report.remedies]
    assert report.accuracy["outputs"][0].sqnr_db > 55


def test_what_fp16_itself_spoils_is_rewritten_even_where_the_gate_would_let_it_pass(project, pool):
    report = engine.deploy(engine.DeployRequest("model.py:Sum", cwd=project), pool)
    assert report.ok
    assert all(output.sqnr_db > 60 for output in report.accuracy["outputs"])
    measures = [event for event in read_journal(Path(report.run)) if event["event"] == "corrective"]
    assert [(event["stage"], event["remedy"]) for event in measures] == [("verify", "rewrite-coarse")]
    assert [(item.name, item.helped) for item in report.remedies] == [("rewrite-coarse", True)]
    (note,) = [record.note for record in report.stages if record.name == "rewrite"][-1:]
    assert "sum-range" in note
