"""What the code states of its inputs steers what is tried for them."""

from __future__ import annotations

import pickle

import pytest
import torch

from aipc.capture.inputs import example_inputs
from aipc.capture.load import load_model
from aipc.capture.stated_shapes import stated_shapes
from aipc.core.errors import ModelLoadError, NoInputsError

HEADER = "import torch\nfrom torch import nn\n"


def of(model_file, body: str, arguments: str = "x", init: str = "pass"):
    source = f"class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {init}\n"
    return load_model(model_file(f"{source}    def forward(self, {arguments}):\n{body}", header=HEADER))


@pytest.mark.parametrize(
    ("body", "dims"),
    [
        ("        b, n, c, h, w = x.shape\n        return x", ("b", "n", "c", "h", "w")),
        ("        b, c, *rest = x.shape\n        assert x.dim() == 3\n        return x", ("", "", "")),
        ("        b, _, h = x.size()\n        assert x.size(-1) == 7\n        return x", ("b", "", 7)),
        (
            "        b, c, t = x.shape\n        if c != 6:\n            raise ValueError\n        return x",
            ("b", 6, "t"),
        ),
        ("        assert len(x.shape) == 4 and x.shape[1] == 3\n        return x", ("", 3, "", "")),
        ("        assert x.shape == (1, 5, 9)\n        return x", (1, 5, 9)),
        ('        return torch.einsum("b i, i j -> b j", x, x)', ("b", "i")),
        ('        return rearrange(x, "b (h p) c -> b h p c", p=2)', ("b", "", "c")),
        ("        return x.permute(0, 2, 1)", ("", "", "")),
        ("        return x[:, None] * x[:, None, None]", ("",)),
        ("        return x[..., None]", None),
        ("        return self.layer(x)", ("b", 5, "", "")),
        ("        x = x.mean(1)\n        b, c = x.shape\n        return x", None),
        ("        return x + 1", None),
    ],
)
def test_dimensions_are_read_from_the_code(model_file, body, dims):
    init = "self.layer = nn.Sequential(nn.Conv2d(5, 2, 1))"
    stated = stated_shapes(of(model_file, body, init=init).module)
    assert (stated["x"].dims if "x" in stated else None) == dims


def test_inputs_of_a_video_model_are_inferred(model_file):
    body = (
        "        b, n, c, h, w = clip.shape\n        y = self.layer(clip.flatten(0, 1)).unflatten(0, (b, n))\n"
        '        return torch.einsum("bnchw,bnm->bmchw", y, links)'
    )
    inputs = example_inputs(of(model_file, body, "clip, links", "self.layer = nn.Conv2d(6, 8, 3, padding=1)"))
    assert [tuple(item.shape) for item in inputs.args] == [(1, 4, 6, 224, 224), (1, 4, 4)]


def test_inputs_that_a_part_of_the_model_states_are_inferred(model_file):
    source = (
        "class Part(nn.Module):\n    def forward(self, x):\n        b, c, t, f = x.shape\n        assert f == 80\n"
        "        return x.reshape(b, c * t, 80)\n\n\n"
        "class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.part = Part()\n"
        "    def forward(self, x):\n        return self.part(x)\n"
    )
    (value,) = example_inputs(load_model(model_file(source, header=HEADER))).args
    assert value.ndim == 4
    assert value.shape[-1] == 80


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ("import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--n', default=3)\n", True),
        ("import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('n')\n", False),
        ("import sys\nsys.exit(0)\n", False),
    ],
)
def test_a_script_that_reads_arguments_when_it_is_imported(model_file, text, loads):
    if text.startswith("import argparse"):
        text += "arguments = parser.parse_args()\n"
    ref = model_file("class Model(nn.Module):\n    def forward(self, x):\n        return x\n", header=HEADER + text)
    if loads:
        assert load_model(ref).module
        return
    with pytest.raises(ModelLoadError, match=r"model\.py ends the program when it is imported") as raised:
        load_model(ref)
    assert raised.value.range
    assert raised.value.range.start.line == len((HEADER + text).splitlines())


@pytest.mark.parametrize(
    "body",
    [
        "        return self.table(x)",
        "        return torch.nn.functional.embedding(x, self.table.weight)",
        "        return self.table.weight[x]",
    ],
)
def test_what_chooses_rows_of_a_table_is_integers(model_file, body):
    # The first layer that is made is not the one that takes the input.
    init = "self.head = nn.Linear(8, 2)\n        self.table = nn.Embedding(30, 8)"
    (value,) = example_inputs(of(model_file, body, init=init)).args
    assert value.dtype is torch.int64
    assert value.shape == (1, 16)


def test_where_nothing_is_accepted_the_proposal_follows_the_code(model_file):
    init = "self.head = nn.Linear(8, 2)\n        self.table = nn.Embedding(30, 8)"
    body = "        raise ValueError(self.head(self.table(x)) + y)"
    with pytest.raises(NoInputsError, match=r"forward\(x, y\)") as raised:
        example_inputs(of(model_file, body, "x, y", init))
    assert raised.value.proposals["x"] == "int64[1,16]"
    assert 'x = "int64[1,16]"' in raised.value.remedy
    copied = pickle.loads(pickle.dumps(raised.value))
    assert (copied.proposals, str(copied)) == (raised.value.proposals, str(raised.value))
