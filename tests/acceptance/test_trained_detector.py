"""A detector with trained weights, in integers: the boxes that PyTorch finds, and where the scores suffer."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Finished, aipc

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", params=["sm8650", "qcs6490"])
def deployed(
    request: pytest.FixtureRequest, examples: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    package = tmp_path_factory.mktemp("detector") / "package"
    options = ("--soc", request.param, "--precision", "w8a16", "--output", package, "--json")
    return aipc("deploy", "yolov8n-320", *options, cwd=examples, cache=cache, timeout=800)


def test_16_bits_find_the_boxes_that_float_finds(deployed: Finished) -> None:
    assert deployed.status == 0, deployed.stderr
    report = deployed.report
    assert report["placement"]["cpu"] == report["placement"]["fails"] == 0
    verify = next(stage for stage in report["stages"] if stage["name"] == "verify")
    assert verify["note"].endswith("detection 1")
    assert all(output["sqnr_db"] > 40 for output in report["accuracy"]["outputs"])


def test_boxes_and_scores_are_told_apart(deployed: Finished) -> None:
    parts = {part["name"] for part in deployed.report["accuracy"]["slices"]}
    assert parts == {"output0[:, 0:4]", "output0[:, 4:22]"}
