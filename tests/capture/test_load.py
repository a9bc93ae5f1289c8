"""Every way to name a model works, and every mistake is told where it is."""

from __future__ import annotations

import pytest
import torch
from tests.source.declarations import DECLARATIONS

from aipc.capture.load import load_model, not_installed
from aipc.core.config import load_config, resolve_model
from aipc.core.errors import MissingDependencyError, ModelLoadError

NET = """
class Model(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x):
        return self.layer(x)


def factory():
    return Model(8)


instance = Model(2)


class Holder:
    net = instance


def needs(width):
    return Model(width)


def raises():
    raise RuntimeError("no weights here")


number = 7
"""


@pytest.mark.parametrize(("name", "width"), [("Model", 4), ("factory", 8), ("instance", 2), ("Holder.net", 2)])
def test_a_class_a_factory_an_instance_and_an_attribute(model_file, name, width):
    loaded = load_model(model_file(NET, name))
    assert loaded.module.layer.in_features == width
    assert not loaded.module.training
    assert not any(parameter.requires_grad for parameter in loaded.module.parameters())


SETTINGS = """
@dataclasses.dataclass
class Size:
    width: int = 3


@dataclasses.dataclass
class Open:
    width: int


class Net(nn.Module):
    def __init__(self, size: Size, *, other: Size):
        super().__init__()
        self.layer = nn.Linear(size.width, other.width)


class Half(nn.Module):
    def __init__(self, size: Size, other: Open):
        super().__init__()
"""


def test_settings_whose_defaults_say_everything_stand_for_an_argument(model_file):
    assert load_model(model_file(f"import dataclasses\n{SETTINGS}", "Net")).module.layer.in_features == 3
    with pytest.raises(ModelLoadError, match="needs the arguments size, other"):
        load_model(model_file(f"import dataclasses\n{SETTINGS}", "Half"))


_NEEDS_MORE = {"a LightningModule", "factories of libraries"}
"""A library that is not installed, and weights from the net."""


@pytest.mark.parametrize("way", [way for way in DECLARATIONS if way not in _NEEDS_MORE])
def test_whatever_a_text_declares_as_a_model_is_built_by_its_name(way, tmp_path):
    files, names = DECLARATIONS[way]
    for file, text in files.items():
        (tmp_path / file).write_text(text, "utf-8")
    for name in names:
        ref = resolve_model(f"net.py:{name}", tmp_path, load_config(tmp_path))
        assert sum(1 for _ in load_model(ref).module.modules()) >= 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Modle", "did you mean Model"),
        ("zzz", "models in it: Model"),
        ("needs", "needs the arguments width"),
        ("number", "is int, not a PyTorch module"),
        ("raises", "no weights here"),
    ],
)
def test_what_is_no_model_is_told(model_file, name, words):
    with pytest.raises(ModelLoadError, match=words):
        load_model(model_file(NET, name))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("torch.jit.script(nn.Linear(2, 3))", "TorchScript module.* name the nn.Module that it was made from"),
        ("torch.jit.trace(nn.Linear(2, 3), torch.ones(1, 2))", "TorchScript module"),
        ("nn.LazyLinear(3)", "weight of Model has no shape before the first call"),
        ('nn.Linear(2, 3, device="meta")', "weight of Model has no values"),
    ],
)
def test_a_module_without_code_or_values_is_refused(model_file, made, words):
    with pytest.raises(ModelLoadError, match=words):
        load_model(model_file(f"Model = {made}\n"))


def test_a_raising_factory_is_told_at_its_own_line(model_file):
    ref = model_file(NET, "raises")
    with pytest.raises(ModelLoadError) as info:
        load_model(ref)
    line = ref.path.read_text().splitlines()[info.value.range.start.line - 1]
    assert "raise RuntimeError" in line


def test_a_syntax_error_is_told_at_its_line(model_file):
    with pytest.raises(ModelLoadError, match=r"model\.py:2: syntax error"):
        load_model(model_file("x = 1\ndef broken(:\n", header=""))


def test_a_library_that_lacks_is_named_as_pip_names_it():
    remedy = not_installed(ModuleNotFoundError("no", name="sklearn.svm")).remedy
    assert remedy == "run pip install scikit-learn"


def test_a_missing_import_names_the_package_to_install(model_file):
    with pytest.raises(MissingDependencyError, match="pip install surely_not_there"):
        load_model(model_file("import surely_not_there.sub\n", header=""))


def test_a_file_next_to_the_model_can_be_imported(model_file, tmp_path):
    (tmp_path / "parts_of_it.py").write_text("from torch import nn\nLayer = nn.ReLU\n")
    loaded = load_model(model_file("from parts_of_it import Layer as Model\n", header=""))
    assert isinstance(loaded.module, torch.nn.ReLU)


def test_a_model_that_draws_its_weights_is_the_same_each_time(model_file):
    source = """\
        import random
        import numpy as np
        import torch
        from torch import nn


        class Drawn(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(3, 3)
                self.scale = random.random() * np.random.rand()

            def forward(self, x):
                return self.linear(x) * self.scale
        """
    first, second = (load_model(model_file(source, "Drawn")).module for _ in range(2))
    assert torch.equal(first.linear.weight, second.linear.weight)
    assert first.scale == second.scale
