"""A folder as transformers saves models is a reference; files that are no model name the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aipc.capture.jobs import capture, verify_capture
from aipc.core.config import Config, resolve_model
from aipc.core.errors import ModelLoadError

transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 40}
CONVOLUTIONS = {"conv_dim": (8, 8), "conv_stride": (5, 2), "conv_kernel": (10, 3), "num_feat_extract_layers": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "speech"
    configuration = transformers.Wav2Vec2Config(**SMALL, **CONVOLUTIONS, num_conv_pos_embeddings=8)
    transformers.Wav2Vec2ForCTC(configuration).bfloat16().save_pretrained(path)
    return path


@pytest.mark.parametrize("prefix", ["", "hf:"])
def test_a_folder_is_captured_with_inputs_of_its_configuration(folder: Path, tmp_path: Path, prefix: str) -> None:
    ref = resolve_model(f"{prefix}{folder.name}", folder.parent, Config(root=folder.parent))
    assert (ref.name, ref.runs_pytorch) == ("speech", True)
    result = capture(lambda event: None, ref=ref, out=str(tmp_path / "out"))
    assert result.ok, result.findings
    assert [item.shape for item in result.inputs] == [(1, 16000)]
    assert {Path(name).name for name in result.files} >= {"config.json", "model.safetensors"}
    accuracy = verify_capture(lambda event: None, directory=str(tmp_path / "out"))
    assert min(output.sqnr_db for output in accuracy) >= 100


def test_a_folder_that_lacks_tensors_is_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("lm_head.weight")
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    ref = resolve_model("other", tmp_path, Config(root=tmp_path))
    with pytest.raises(ModelLoadError, match=r"lacks 1 tensors, lm_head\.weight"):
        capture(lambda event: None, ref=ref, out=str(tmp_path / "out"))


def test_a_folder_with_code_of_its_own_names_the_way(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "config.json").write_text(json.dumps({"architectures": ["Own"], "auto_map": {}}))
    ref = resolve_model("own", tmp_path, Config(root=tmp_path))
    with pytest.raises(ModelLoadError, match="needs Python code of its own"):
        capture(lambda event: None, ref=ref, out=str(tmp_path / "out"))


@pytest.mark.parametrize(("name", "way"), [("w.safetensors", "file.py:function"), ("net.tflite", "tf2onnx")])
def test_files_that_are_no_model_name_the_way(tmp_path: Path, name: str, way: str) -> None:
    (tmp_path / name).write_bytes(b"0")
    with pytest.raises(ModelLoadError) as error:
        resolve_model(name, tmp_path, Config(root=tmp_path))
    assert way in str(error.value)


def test_a_model_of_the_hub_names_the_way(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="hf download someone/net"):
        resolve_model("hf:someone/net", tmp_path, Config(root=tmp_path))
