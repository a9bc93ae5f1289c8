"""Example inputs come from where the user said, else from the model, else from trying."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from aipc.capture.inputs import example_inputs
from aipc.capture.load import load_model
from aipc.core.errors import AipcError, InputError

NET = """
class Model(nn.Module):
    def forward(self, image, scale=None):
        return image * (1 if scale is None else scale)


def batches():
    yield torch.full((1, 2), 3.0)
"""


def configured(inputs: str, extra: str = "") -> str:
    return f'[tool.aipc.models.m]\nentry = "model.py:Model"\ninputs = {inputs}\n{extra}'


def found(model_file, config: str, source: str = NET):
    return example_inputs(load_model(model_file(source, config=config)))


@pytest.mark.parametrize(
    ("inputs", "shape", "dtype"),
    [
        ('"float32[1,3,8,8]"', (1, 3, 8, 8), torch.float32),
        ('["int64[2,5]"]', (2, 5), torch.int64),
        ('{ image = "float16[4]" }', (4,), torch.float16),
        ('{ anything = "bool[3]" }', (3,), torch.bool),
        ('"model.py:batches"', (1, 2), torch.float32),
    ],
)
def test_configured_forms(model_file, inputs, shape, dtype):
    (value,) = found(model_file, configured(inputs)).args
    assert (tuple(value.shape), value.dtype) == (shape, dtype)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('raise OSError("no picture")', r"model\.py:\d+: example_inputs\(\) raised OSError: no picture"),
        ("return iter([])", r"example_inputs\(\) gives nothing"),
        ("return None", r"example_inputs\(\) returned NoneType"),
    ],
)
def test_what_goes_wrong_in_example_inputs_is_told(model_file, body, words):
    source = f"class Model(nn.Module):\n    @staticmethod\n    def example_inputs():\n        {body}\n"
    with pytest.raises(AipcError, match=words):
        example_inputs(load_model(model_file(source)))


def test_two_arguments_by_name(model_file):
    inputs = found(model_file, configured('{ scale = "float32[1]", image = "float32[1,2]" }'))
    assert [tuple(value.shape) for value in inputs.args] == [(1, 2), (1,)]


def test_named_dimensions_are_pinned(model_file):
    config = configured('"float32[1,length,width=6]"', "dims = { length = 7 }\n")
    (value,) = found(model_file, config).args
    assert tuple(value.shape) == (1, 7, 6)


def test_a_dimension_without_a_size_is_told(model_file):
    with pytest.raises(InputError, match=r"'length'.*has no size.*dims = \{ length"):
        found(model_file, configured('"float32[1,length]"'))


def test_an_archive_and_a_picture(model_file, tmp_path):
    np.savez(tmp_path / "in.npz", image=np.ones((2, 2), np.float32))
    inputs = found(model_file, configured('"in.npz"'))
    assert inputs.kwargs["image"].shape == (2, 2)
    Image.new("RGB", (40, 20), (255, 0, 0)).save(tmp_path / "red.png")
    (picture,) = found(model_file, configured('"red.png"')).args
    assert picture.shape == (1, 3, 224, 224)
    assert picture[0, :, 112, 112].tolist() == [1.0, 0.0, 0.0]
    assert picture[0, 0, 0, 0].item() == pytest.approx(114 / 255)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ('"gone.npz"', "there is no input file"),
        ('"gone.jpg"', "there is no image"),
        ('"float99[1]"', "is not a dtype"),
        ('"model.py:nothing"', "there is no function nothing"),
        ('{ a = "float32[1]", b = "float32[1]" }', "no argument 'a'.*image, scale"),
    ],
)
def test_what_cannot_be_read_is_told(model_file, inputs, words):
    with pytest.raises(InputError, match=words):
        found(model_file, configured(inputs))


def test_the_model_s_own_inputs_come_before_guessing(model_file):
    source = NET + "\nModel.example_inputs = lambda self: {'image': torch.zeros(1, 9)}\n"
    loaded = load_model(model_file(source + "\nmodel = Model()\n", "model"))
    inputs = example_inputs(loaded)
    assert inputs.kwargs["image"].shape == (1, 9)
    assert "example_inputs()" in inputs.provenance


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ("nn.Conv2d(5, 4, 3)", (1, 5, 224, 224)),
        ("nn.Conv1d(7, 4, 3)", (1, 7, 128)),
        ("nn.Linear(12, 3)", (1, 12)),
        ("nn.Flatten(), nn.Linear(784, 3)", (1, 784)),
        ("nn.Embedding(50, 8)", (1, 16)),
        ("nn.Conv2d(3, 4, 4, 4), nn.Flatten(), nn.Linear(4 * 16 * 16, 2)", (1, 3, 64, 64)),
    ],
)
def test_inference_finds_inputs_that_the_model_takes(model_file, layers, shape):
    inputs = example_inputs(load_model(model_file(f"Model = nn.Sequential({layers})\n")))
    assert tuple(inputs.args[0].shape) == shape
    assert "inferred" in inputs.provenance


@pytest.mark.parametrize(
    ("argument", "body", "shape"),
    [
        ("t", "embedded = torch.outer(t, torch.ones(8)); return self.layer(x) * embedded.mean(1)", (1,)),
        ("timesteps", "return self.layer(x) * torch.ones(3)[timesteps][:, None, None, None]", (1,)),
        ("edge_index", "a, b = edge_index; return self.layer(x).flatten()[a] * self.layer(x).flatten()[b]", (2, 16)),
        ("lengths", "return self.layer(x)[:, :, : , :8] + lengths.reshape(1, 1, 1, 1)", (1,)),
    ],
)
def test_an_argument_whose_name_says_what_it_is_gets_such_an_input(model_file, argument, body, shape):
    source = "class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    source += f"        self.layer = nn.Conv2d(3, 4, 3)\n\n    def forward(self, x, {argument}):\n        {body}\n"
    inputs = example_inputs(load_model(model_file(source)))
    assert tuple(inputs.args[1].shape) == shape


def test_what_to_write_names_each_argument_in_a_form_that_fits_it(model_file):
    source = """
    class Model(nn.Module):
        def forward(self, input_ids, image):
            raise ValueError
    """
    with pytest.raises(InputError, match=r'input_ids = "int64\[1,16\]", image = "float32\[1,3,224,224\]"'):
        example_inputs(load_model(model_file(source)))


def test_inference_that_finds_nothing_says_how_to_give_them(model_file):
    source = """
    class Model(nn.Module):
        def forward(self, peculiar):
            assert tuple(peculiar.shape) == (3, 1, 4, 1, 5)
            return peculiar
    """
    with pytest.raises(InputError, match=r"forward\(peculiar\).*inputs = \{ peculiar"):
        example_inputs(load_model(model_file(source)))
