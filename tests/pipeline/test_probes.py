"""A package is judged on probes: what it was verified on is told, kept and tested again; what fails names its input."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aipc import engine
from aipc.core.probes import ProbeStatus
from aipc.core.types import Severity

MODEL = '''\
import torch
from torch import nn


class Pooled(nn.Module):
    """Right on every mask."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(8, 16)

    def forward(self, x, keep):
        y = torch.where(keep[..., None], torch.relu(self.layer(x)), 0.0)
        return y.mean(1)

    def example_inputs(self):
        x = torch.rand(2, 12, 8, generator=torch.Generator().manual_seed(1))
        return x, torch.ones(2, 12, dtype=torch.bool)


class Forgetful(Pooled):
    """What is exported leaves the mask out, and the example has nothing masked."""

    def forward(self, x, keep):
        y = torch.relu(self.layer(x))
        if not torch.compiler.is_compiling():
            y = torch.where(keep[..., None], y, 0.0)
        return y.mean(1) + keep.sum() * 0


class Noisy(nn.Module):
    """What is exported draws nothing."""

    def forward(self, x):
        y = x * 2
        if torch.compiler.is_compiling():
            return y
        return y + torch.randn_like(y)

    def example_inputs(self):
        return (torch.zeros(1, 30),)
'''


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("masked")
    (directory / "model.py").write_text(MODEL)
    arrays = {"x": np.ones((3, 12, 8), np.float32), "keep": np.ones((3, 12), bool)}
    np.savez(directory / "pairs.npz", **{name: np.concatenate([a, a[:1]]) for name, a in arrays.items()})
    (directory / "pyproject.toml").write_text(
        '[tool.aipc]\nsoc = "sm8650"\n[tool.aipc.models.pooled]\nentry = "model.py:Pooled"\nsamples = "pairs.npz"\n'
    )
    return directory


@pytest.fixture(scope="module")
def pooled(masked, pool, own_cache):
    return engine.deploy(engine.DeployRequest("pooled", cwd=masked), pool)


@pytest.fixture(scope="module")
def forgetful(masked, pool, own_cache):
    return engine.deploy(engine.DeployRequest("model.py:Forgetful", cwd=masked), pool)


def test_the_report_says_on_what_the_package_was_verified(pooled):
    assert pooled.ok
    probes = {item.name: item for item in pooled.probes}
    assert {item.kind for item in probes.values()} >= {"mask", "real", "sample"}
    empty = probes["keep-empty-row"]
    assert empty.title == "a row of `keep` that is all False"
    assert empty.status is ProbeStatus.PASSED
    assert empty.graph_sqnr_db > 100
    assert empty.package_sqnr_db > 40
    assert [item.title for item in pooled.probes if item.kind == "sample"] == [
        "sample 1 of pairs.npz",
        "sample 2 of pairs.npz",
    ]


def test_what_even_rounded_fp16_cannot_do_on_an_extreme_input_is_no_failure(pooled):
    found = {item.name: item for item in pooled.probes}["x-smallest"]
    assert found.status in {ProbeStatus.LIMIT, ProbeStatus.PASSED}


def test_the_package_keeps_the_worst_probe_and_tests_itself_with_it(pooled, pool, tmp_path):
    package = Path(pooled.package)
    manifest = json.loads((package / "manifest.json").read_text())
    assert {item["name"] for item in manifest["verified_on"]} == {item.name for item in pooled.probes}
    (golden,) = manifest["golden_probes"]
    ran = [item for item in pooled.probes if item.status is ProbeStatus.PASSED and item.package_sqnr_db is not None]
    assert golden["title"] == min(ran, key=lambda item: item.package_sqnr_db).title
    assert {golden["inputs"], golden["outputs"]} <= set(manifest["files"])
    tested = _self_test(package)
    assert [item["title"] for item in tested["probes"]] == [golden["title"]]
    assert tested["passed"]
    verified = engine.verify(package, pool=pool)
    assert verified.ok
    assert [(item.title, item.status) for item in verified.probes] == [(golden["title"], ProbeStatus.PASSED)]


def test_a_package_that_is_right_on_the_example_alone_fails_its_self_test_and_verify(pooled, pool, tmp_path):
    package = tmp_path / "package"
    shutil.copytree(pooled.package, package)
    manifest = json.loads((package / "manifest.json").read_text())
    wrong = package / "golden" / "probe-outputs.npz"
    with np.load(wrong) as data:
        arrays = {name: data[name] + 1.0 for name in data.files}
    np.savez(wrong, **arrays)
    from aipc.core.hashing import hash_file

    manifest["files"]["golden/probe-outputs.npz"] = hash_file(wrong)
    (package / "manifest.json").write_text(json.dumps(manifest))
    assert not _self_test(package)["passed"]
    verified = engine.verify(package, pool=pool)
    assert not verified.ok
    assert manifest["golden_probes"][0]["title"] in verified.gate.detail


def _self_test(package: Path) -> dict:
    ran = subprocess.run([sys.executable, package / "run.py", "--self-test", "--json"], capture_output=True, text=True)
    assert ran.returncode in {0, 1}, ran.stderr
    found = json.loads(ran.stdout)["self_test"]
    assert found["passed"] is (ran.returncode == 0)
    return found


def test_an_export_that_is_right_on_the_example_alone_stops_with_the_input_in_words_on_its_line(forgetful, masked):
    assert not forgetful.ok
    stage = forgetful.stages[-1]
    assert stage.name == "probes"
    assert stage.gate.threshold == 100.0
    findings = [item for item in forgetful.findings if item.rule == "probe"]
    assert findings
    assert any("a row of `keep` that is all False" in item.message for item in findings)
    line = next(n for n, text in enumerate(MODEL.splitlines(), 1) if "y.mean(1) + keep.sum()" in text)
    assert all(item.severity is Severity.ERROR and item.range.start.line == line for item in findings)
    assert Path(forgetful.capsule).is_dir()


def test_without_probes_nothing_beside_the_example_is_run(masked, pool, own_cache):
    blind = engine.deploy(engine.DeployRequest("model.py:Forgetful", cwd=masked, probes="none"), pool)
    assert blind.ok
    assert blind.probes == ()


def test_random_numbers_stop_at_their_line_and_no_other_capture_is_tried(masked, pool, own_cache):
    report = engine.deploy(engine.DeployRequest("model.py:Noisy", cwd=masked), pool)
    assert [record.name for record in report.stages] == ["capture", "verify capture"]
    assert report.remedies == ()
    gate = report.stages[-1].gate
    assert "output output on the example inputs: the model draws random numbers" in gate.detail
    (finding,) = (item for item in report.findings if item.rule == "capture-differs")
    assert MODEL.splitlines()[finding.range.start.line - 1].strip() == "return y + torch.randn_like(y)"
    assert finding.message.endswith("Draw them outside of the model and pass them in as an input.")


def test_a_threshold_of_the_user_is_the_only_one(masked, pool, own_cache):
    (masked / "strict").mkdir(exist_ok=True)
    (masked / "strict" / "pyproject.toml").write_text(
        '[tool.aipc]\nsoc = "sm8650"\n[tool.aipc.models.strict]\nentry = "../model.py:Pooled"\n'
        "tolerance = { sqnr_db = 150 }\n"
    )
    report = engine.deploy(engine.DeployRequest("strict", cwd=masked / "strict"), pool)
    assert not report.ok
    assert report.stages[-1].gate.threshold == 150.0


def test_float64_is_said_at_its_line_with_what_float32_loses(masked, pool, own_cache):
    (masked / "wide.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Wide(nn.Module):\n    def forward(self, x):\n"
        "        return torch.exp(x.double()).float()\n\n    def example_inputs(self):\n"
        "        return (torch.linspace(-1, 1, 40).reshape(2, 20),)\n"
    )
    report = engine.deploy(engine.DeployRequest("wide.py:Wide", soc="sm8650", cwd=masked), pool)
    (finding,) = (item for item in report.findings if item.rule == "float64")
    assert finding.severity is Severity.INFORMATION
    assert finding.range.start.line == 7
    assert "dB SQNR against PyTorch's own answer" in finding.message
