"""The configuration of a bundle for Genie."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aipc.apps.genie import CONFIG, EXTENSION, write_bundle

HOST = {
    "context": 256,
    "prefill": 32,
    "tokens": 8,
    "head_size": 64,
    "vocabulary": 100,
    "end": [2],
    "rope_type": "default",
    "rope_theta": 5e5,
}


def test_the_bundle_names_the_binaries_of_every_graph_inside_the_package(tmp_path: Path) -> None:
    for name in ("prefill", "decode"):
        (tmp_path / "graphs" / name).mkdir(parents=True)
        (tmp_path / "graphs" / name / "model_qnn.bin").touch()
    assert write_bundle(tmp_path, HOST, ("prefill", "decode"), 57, 75) == ""
    dialog = json.loads((tmp_path / CONFIG).read_text("utf-8"))["dialog"]
    model = dialog["engine"]["model"]
    assert model["binary"]["ctx-bins"] == ["graphs/prefill/model_qnn.bin", "graphs/decode/model_qnn.bin"]
    assert model["positional-encoding"] == {"type": "rope", "rope-dim": 32, "rope-theta": 5e5}
    assert (dialog["context"]["size"], dialog["context"]["eos-token"], dialog["context"]["bos-token"]) == (256, 2, -1)
    (device,) = json.loads((tmp_path / EXTENSION).read_text("utf-8"))["devices"]
    assert (device["soc_model"], device["dsp_arch"]) == (57, "v75")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"context": 128}, "steps of 256 tokens and a prefill in steps of 32, not 128 and 32"),
        ({"prefill": 16}, "not 256 and 16"),
        ({"rope_type": "llama3"}, "rotary tables of the type llama3"),
    ],
)
def test_there_is_no_bundle_that_genie_would_answer_wrongly_from(tmp_path: Path, change: dict, reason: str) -> None:
    assert reason in write_bundle(tmp_path, {**HOST, **change}, ("decode",), 57, 75)
    assert not (tmp_path / CONFIG).exists()
