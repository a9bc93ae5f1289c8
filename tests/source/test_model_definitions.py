"""Every usual way to declare a model is found by its text, and only what can be built by its name needs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.source.model_definitions import model_definitions

from .declarations import DECLARATIONS, FORWARD


@pytest.mark.parametrize("way", DECLARATIONS)
def test_models_are_found_however_they_are_declared(way: str, tmp_path: Path) -> None:
    files, expected = DECLARATIONS[way]
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    found = model_definitions(files["net.py"], tmp_path / "net.py")
    assert [item.name for item in found if not item.required] == expected


def test_a_block_that_needs_arguments_names_the_model_that_it_is_built_into(tmp_path: Path) -> None:
    files, _ = DECLARATIONS["a dataclass of settings"]
    found = {item.name: item for item in model_definitions(files["net.py"], tmp_path / "net.py")}
    assert (found["Block"].required, found["Block"].container) == (("settings",), "Net")
    # Only by way of a factory that itself needs something: nothing is offered.
    text = f"from torch import nn\nclass A(nn.Module):\n    def __init__(self, n):\n        self.n = n\n{FORWARD}"
    text += "def make(n):\n    return A(n)\n"
    assert [item.container for item in model_definitions(text, tmp_path / "net.py")] == [""]


def test_inputs_that_an_ancestor_or_a_factory_s_class_gives_are_known(tmp_path: Path) -> None:
    files, _ = DECLARATIONS["a base in another file"]
    (tmp_path / "base.py").write_text(files["base.py"], "utf-8")
    text = files["net.py"] + "def make():\n    return Net()\nnet = make()\n"
    found = model_definitions(text, tmp_path / "net.py")
    assert [(item.name, item.line, item.arguments, item.has_inputs) for item in found] == [
        ("Net", 2, ("x",), True),
        ("make", 5, ("x",), True),
        ("net", 7, ("x",), True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from paddle.nn import Module\nclass Net(Module):\n    def forward(self, x): return x\n",
        "import torch\nclass Net(Exception): ...\ndef f(): return 3\nx = torch.rand(3)\n",
        "from torch import nn\nclass Net(nn.Module): ...\n",  # no forward anywhere
        "class Net(Net): ...\nclass A(B): ...\nclass B(A): ...\n",
        "def f():\n    return f()\nx = y\ny = x\n",
        "from torch import nn\nclass Net(nn.Module:\n",
        "",
    ],
)
def test_what_is_no_model_is_not_offered(text: str, tmp_path: Path) -> None:
    assert model_definitions(text, tmp_path / "net.py") == ()
