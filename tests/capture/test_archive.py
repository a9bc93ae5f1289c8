"""A ``.pt2`` file is read as data, wherever something to run is hidden in it."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from aipc.capture.archive import load_program
from aipc.core.errors import ModelLoadError


class Scaled(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 3)
        self.register_buffer("count", torch.zeros(1))
        self.scale = torch.tensor([2.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.layer(x) * self.scale).reshape(x.shape[0] * 3) + self.count


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model.pt2"
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(Scaled().eval(), (torch.rand(4, 4),), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)
    return path


class Payload:
    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.marker,)


def changed(source: Path, target: Path, change) -> Path:
    """The archive with each member's bytes as ``change(name, content)`` gives them."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            new.writestr(item.filename, change(item.filename, old.read(item)))
    return target


def pickled(marker: str):
    buffer = io.BytesIO()
    torch.save(Payload(marker), buffer)

    def change(name: str, content: bytes) -> bytes:
        if name.endswith("_config.json"):
            found = json.loads(content)
            for meta in found["config"].values():
                meta["use_pickle"] = True
            return json.dumps(found).encode()
        return buffer.getvalue() if "/weights/" in name or "/constants/" in name else content

    return change


def sample_inputs(marker: str):
    buffer = io.BytesIO()
    torch.save(((Payload(marker),), {}), buffer)
    return lambda name, content: buffer.getvalue() if "sample_inputs" in name else content


def json_text(key: str, text: str):
    def put(value):
        if isinstance(value, list):
            return [put(item) for item in value]
        if isinstance(value, dict):
            return {
                name: ([text] if key == "guards_code" else text) if name == key else put(item)
                for name, item in value.items()
            }
        return value

    return lambda name, content: (
        json.dumps(put(json.loads(content))).encode() if name.endswith(".json") and "/models/" in name else content
    )


def attacks(marker: str):
    call = f"__import__('os').mkdir({marker!r})"
    return {
        "pickled weights": pickled(marker),
        "pickled inputs": sample_inputs(marker),
        "a size": json_text("expr_str", call),
        "a size by attributes": json_text("expr_str", f"Symbol('x').__class__.__mro__[-1].__subclasses__() or {call}"),
        "a size that evaluates": json_text("expr_str", f"sympify({call!r})"),
        "a guard": json_text("guards_code", call),
        "an operator": json_text("target", "torch.os.mkdir"),
        "a library": json_text("target", "torch.ops.load_library"),
        "another operator": json_text("target", "_operator.call"),
    }


def test_a_program_with_dynamic_sizes_and_constants_is_read(saved):
    x = torch.rand(6, 4)
    program = load_program(saved)
    assert torch.equal(program.module()(x), torch.export.load(saved).module()(x))


@pytest.mark.parametrize("attack", list(attacks("m")))
def test_nothing_in_a_file_is_run(saved, tmp_path, attack):
    marker = tmp_path / "ran"
    path = changed(saved, tmp_path / "model.pt2", attacks(str(marker))[attack])
    assert path.read_bytes() != saved.read_bytes()
    with pytest.raises(ModelLoadError, match=r"model\.pt2"):
        load_program(path)
    assert not marker.exists()


def test_compiled_code_in_a_file_is_refused(saved, tmp_path):
    path = changed(saved, tmp_path / "model.pt2", lambda name, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model/data/aotinductor/model/model.so", b"\x7fELF")
    with pytest.raises(ModelLoadError, match=r"model\.so\): reading it would run code"):
        load_program(path)


def test_what_is_no_archive_is_said(tmp_path):
    (tmp_path / "a.pt2").write_bytes(pickle.dumps(Payload(str(tmp_path / "ran"))))
    with pytest.raises(ModelLoadError, match="not an exported program"):
        load_program(tmp_path / "a.pt2")
    assert not (tmp_path / "ran").exists()
