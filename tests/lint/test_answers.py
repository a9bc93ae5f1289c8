"""The matrix answers only where every variant that a call may be has the same bad verdict."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipc.lint import lint
from aipc.lint.answers import answer, open_matrix
from aipc.lint.einsum import canonical, output_rank
from aipc.qairt.soc import get_soc

F = "torch.nn.functional."


@pytest.fixture(scope="module")
def matrix():
    return open_matrix(get_soc("sm8650"))


@pytest.mark.parametrize(
    ("operator", "asked"),
    [
        (f"{F}pad", {"mode": "circular"}),
        (f"{F}pad", {"mode": "circular", "pad": (3, 3)}),
        (f"{F}layer_norm", {"normalized_shape": (8, 8)}),
        (f"{F}layer_norm", {"normalized_shape": (8, 8), "weight": None, "bias": None}),
        ("torch.nn.MaxPool3d", {"kernel_size": 7, "stride": 5, "return_indices": False, "dilation": 1}),
        ("torch.Tensor.permute", {"dims": (0, 3, 1, 4, 2, 5), "rank": 6}),
        ("torch.einsum", {"equation": "x y, x z -> x y z"}),
    ],
)
def test_sure(matrix, operator, asked):
    assert answer(matrix, operator, asked)


@pytest.mark.parametrize(
    ("operator", "asked"),
    [
        (f"{F}pad", {}),
        (f"{F}pad", {"mode": "replicate", "pad": (0, 0, 1, 1)}),  # height only: right
        (f"{F}layer_norm", {"normalized_shape": (8,)}),
        (f"{F}unfold", {"kernel_size": 3, "stride": 3}),  # 1 runs on the CPU, 2 on the NPU, 3 was not measured
        ("torch.Tensor.permute", {"dims": (0, 2, 1)}),
        ("torch.einsum", {"equation": "abcdef,fedcba->ad"}),  # not measured
        ("torch.einsum", {"equation": "bhqd,bhkd->bhqk"}),
        ("torch.relu", {}),
        ("torch.Tensor.int", {}),  # wrong only when cast back
        ("torch.no_such_operator", {}),
    ],
)
def test_not_sure(matrix, operator, asked):
    assert not answer(matrix, operator, asked)


def test_letters_of_an_equation_do_not_matter():
    assert canonical("b i d, b j d -> b i j") == canonical("xyz,xwz->xyw")
    assert canonical("ij,jk") == canonical("ij,jk->ik")
    assert output_rank("bmchw,bnmc->bnchw") == 5
    assert output_rank("...ij,...jk->...ik") is None


def test_the_equation_is_told_in_the_authors_letters():
    text = (
        "import torch\nfrom torch import nn\nclass M(nn.Module):\n    def forward(self, p, q):\n"
        '        return torch.einsum("anhd,amhd->ahnm", p, q)\n'
    )
    (finding,) = lint(text, "m.py", "sm8650")
    assert "anhd,amhd->ahnm" in finding.message
    assert finding.compiler == "Einsum unsupported equation: anhd,amhd->ahnm"


@pytest.mark.parametrize("soc", ["sm8850", "x-elite", "sm8750"])
def test_other_socs_have_their_own_answers(soc):
    text = "import torch\nclass M(torch.nn.Module):\n    def forward(self, x):\n        return torch.cosh(x) * 2\n"
    (finding,) = lint(text, "m.py", soc)
    assert finding.rule == "unsupported-operator"


@pytest.mark.parametrize("soc", ["qcs6490", "no such chip"])
def test_nothing_is_said_where_nothing_was_measured(soc):
    text = "import torch\nclass M(torch.nn.Module):\n    def forward(self, x):\n        return torch.cosh(x) * 2\n"
    assert lint(text, "m.py", soc) == ()


def test_nothing_heavy_is_imported():
    code = (
        "import sys\nfrom aipc.lint import lint\nlint('import torch', 'm.py', 'sm8650')\n"
        "print({'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "set()"
