"""What users hold instead of a bare module, and where a failure stands when no line of theirs ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aipc.capture.jobs import capture
from aipc.core.config import ModelRef
from aipc.core.errors import MissingDependencyError, ModelLoadError

ModelFile = Callable[..., ModelRef]

OBJECTS = """
class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, *args):
        return self.layer(*args)


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Network()

    def __call__(self, source=None):
        raise RuntimeError("predicts from files")


class Pipeline:
    def __init__(self):
        self.unet = Network()


def compiled():
    return torch.compile(nn.DataParallel(Network()).train())


def empty():
    return Pipeline.__new__(Pipeline)
"""


@pytest.mark.parametrize("name", ["compiled", "Predictor", "Pipeline"])
def test_the_network_within_is_captured(model_file: ModelFile, tmp_path: Path, name: str) -> None:
    result = capture(lambda event: None, ref=model_file(OBJECTS, name), out=str(tmp_path / "out"))
    assert result.ok and [item.shape for item in result.inputs] == [(1, 4)]


def test_an_object_without_a_network_is_refused(model_file: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="not a PyTorch module"):
        capture(lambda event: None, ref=model_file(OBJECTS, "empty"), out=str(tmp_path / "out"))


def test_a_failure_within_a_library_stands_where_the_module_was_constructed(
    model_file: ModelFile, tmp_path: Path
) -> None:
    ref = model_file(
        """
        def build():
            return nn.Sequential(
                nn.Identity(),
                nn.FractionalMaxPool2d(2, output_size=3),
            )

        def pictures():
            return torch.zeros(1, 2, 8, 8)
        """,
        "build",
    )
    from dataclasses import replace

    result = capture(lambda event: None, ref=replace(ref, inputs="model.py:pictures"), out=str(tmp_path / "out"))
    assert not result.ok
    lines = ref.path.read_text().splitlines()
    assert all(item.range and "nn." in lines[item.range.start.line - 1] for item in result.findings)


def test_a_library_that_extends_the_path_while_it_loads_finds_itself(model_file: ModelFile, tmp_path: Path) -> None:
    """OpenCV does, for its extension, from within its own package."""
    pytest.importorskip("cv2")
    source = """
    import cv2


    Model = nn.Sequential(nn.Linear(4, 2))
    """
    assert capture(lambda event: None, ref=model_file(source), out=str(tmp_path / "out")).ok


def test_box_selection_is_reported_where_it_is_called_with_the_way_out(model_file: ModelFile, tmp_path: Path) -> None:
    source = """
    from torchvision.ops import batched_nms


    class Model(nn.Module):
        def forward(self, boxes, scores):
            kept = batched_nms(boxes, scores, torch.zeros(8, dtype=torch.int64), 0.5)
            return boxes[kept]

        @staticmethod
        def example_inputs():
            return torch.rand(8, 4).cumsum(-1), torch.rand(8)
    """
    pytest.importorskip("torchvision")
    ref = model_file(source)
    finding = capture(lambda event: None, ref=ref, out=str(tmp_path / "out")).findings[0]
    assert finding.rule == "capture-dynamic-shape" and "select the boxes on the host" in finding.message
    lines = ref.path.read_text().splitlines()
    assert finding.range and "batched_nms" in lines[finding.range.start.line - 1]


CONTAINERS = """
import dataclasses
from collections import UserDict


@dataclasses.dataclass
class Batch:
    a: torch.Tensor
    b: torch.Tensor


class Model(nn.Module):
    def forward(self, batch):
        a, b = (batch.a, batch.b) if hasattr(batch, "a") else (batch["a"], batch["b"])
        return a + b

    @staticmethod
    def example_inputs():
        return (KIND(a=torch.rand(1, 4), b=torch.rand(1, 4)),)
"""


@pytest.mark.parametrize("kind", ["Batch", "UserDict"])
def test_dataclasses_and_mappings_may_be_arguments(model_file: ModelFile, tmp_path: Path, kind: str) -> None:
    result = capture(lambda event: None, ref=model_file(CONTAINERS.replace("KIND", kind)), out=str(tmp_path / "out"))
    assert result.ok and len(result.inputs) == 2


def test_inputs_have_the_dtype_of_a_model_in_float64(model_file: ModelFile, tmp_path: Path) -> None:
    result = capture(lambda event: None, ref=model_file("Model = nn.Linear(4, 2).double()"), out=str(tmp_path / "out"))
    assert result.ok and result.inputs[0].shape == (1, 4)


def test_layers_that_pytorch_quantized_name_the_way(model_file: ModelFile, tmp_path: Path) -> None:
    source = "Model = nn.Sequential(torch.ao.nn.quantized.Linear(4, 2))"
    with pytest.raises(ModelLoadError, match="as it was before PyTorch quantized it"):
        capture(lambda event: None, ref=model_file(source), out=str(tmp_path / "out"))


def test_a_package_that_a_factory_misses_is_named(model_file: ModelFile, tmp_path: Path) -> None:
    source = "def build():\n    import no_such_package_at_all\n"
    with pytest.raises(MissingDependencyError, match="pip install no_such_package_at_all"):
        capture(lambda event: None, ref=model_file(source, "build"), out=str(tmp_path / "out"))
