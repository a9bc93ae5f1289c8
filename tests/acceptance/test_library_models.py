"""Models of well-known packages deploy as they are: no edit of their source, no node on the CPU, every gate passed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .command import aipc
from .conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

sys.path.append(str(ROOT / "benchmarks"))
from cases import LIBRARY, Case, write_configuration  # noqa: E402 - a script's folder, not a package


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("library")
    write_configuration(directory, LIBRARY)
    return directory


@pytest.mark.parametrize("case", LIBRARY, ids=lambda case: case.name)
def test_it_deploys_without_an_edit_of_its_source(case: Case, project: Path, cache: Path) -> None:
    finished = aipc("deploy", case.name, "--soc", "sm8650", "--json", cwd=project, cache=cache, timeout=1100)
    assert finished.status == 0, finished.stderr
    report = finished.report
    assert report["ok"]
    assert report["placement"]["npu"] > 0
    assert (report["placement"]["cpu"], report["placement"]["fails"]) == (0, 0)
    gates = {stage["name"]: stage["gate"]["ok"] for stage in report["stages"] if stage["gate"]}
    assert all(gates.values()), gates
    assert {"verify capture", "rewrite", "verify"} <= gates.keys()
