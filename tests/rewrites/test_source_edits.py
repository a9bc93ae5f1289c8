"""Edits of the source: the smallest text, equal in PyTorch, comments kept, imports added."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch

from aipc.core.types import Finding, Position, Range, Severity
from aipc.rewrites.rule import Example
from aipc.rewrites.rules import get_rule
from aipc.rewrites.source import apply_edits, fixes_of

from .harness import tensors

HEADER = "import torch\nimport torch.nn.functional as F\n\n\n"
CASES = {
    "einsum, sizes kept": (
        "einsum",
        'torch.einsum("bmchw,bnmc->bmhwn", x, y)',
        "(x.flatten(3).transpose(2, 3) @ y.permute(0, 2, 3, 1)).unflatten(2, x.shape[3:])",
        {"x": "float32[2,3,4,5,6]", "y": "float32[2,7,3,4]"},
    ),
    "einsum, plain": (
        "einsum",
        'torch.einsum("bhqd,bhkd->bhqk", x, y)',
        "x @ y.transpose(2, 3)",
        {"x": "float32[2,3,5,4]", "y": "float32[2,3,6,4]"},
    ),
    "einsum, to a vector": (
        "einsum",
        'torch.einsum("bij,bj->ib", x, y)',
        "(x @ y.unsqueeze(-1)).squeeze(2).transpose(0, 1)",
        {"x": "float32[2,3,4]", "y": "float32[2,4]"},
    ),
    "layer norm": (
        "layer-norm-axes",
        "F.layer_norm(x * 2, (6, 8), w)",
        "F.layer_norm((x * 2).flatten(-2), (48,), w.flatten()).unflatten(-1, (6, 8))",
        {"x": "float32[2,4,6,8]", "w": "float32[6,8]"},
    ),
    "circular padding": (
        "pad-circular",
        'F.pad(x, (1, 2), mode="circular")',
        "torch.cat([x[..., -1:], x, x[..., :2]], dim=-1)",
        {"x": "float32[1,2,9]"},
    ),
    "replicate padding": (
        "pad-replicate",
        'F.pad(x, (0, 0, 2, 1), mode="replicate")',
        "torch.cat([x[..., :1, :], x[..., :1, :], x, x[..., -1:, :]], dim=-2)",
        {"x": "float32[1,2,5,6]"},
    ),
    "sinh": ("hyperbolic", "torch.sinh(x)", "(torch.exp(x) - torch.exp(-x)) / 2", {"x": "float32[2,8]"}),
    "celu": ("celu", "F.celu(x + 1, 1.5)", "F.elu((x + 1) / 1.5) * 1.5", {"x": "float32[2,8]"}),
    "mish": ("mish", "F.mish(x)", "x * torch.tanh(F.softplus(x))", {"x": "float32[2,8]"}),
    "acos": (
        "inverse-sine",
        "torch.acos(x)",
        "torch.pi / 2 - 2 * torch.atan(x / (1 + torch.sqrt((1 + x) * (1 - x))))",
        {"x": "torch.linspace(-0.9, 0.9, 8)"},
    ),
    "infinity": (
        "is-infinite",
        "torch.isinf(x)",
        "~(x.abs() <= 65504)",
        {"x": "torch.tensor([0.0, -0.0, math.inf, -math.inf, 65504.0])"},
    ),
    "L1 norm": ("reduce-l1", "x.norm(p=1, dim=-1)", "x.abs().sum(-1)", {"x": "float32[2,8]"}),
    "trilinear": (
        "resize-by-axis",
        'F.interpolate(x, scale_factor=2, mode="trilinear")',
        None,
        {"x": "float32[1,3,4,5,6]"},
    ),
    "max pooling of a volume": (
        "max-pool-3d",
        "F.max_pool3d(x, (1, 3, 3), (2, 1, 2))",
        None,
        {"x": "float32[1,2,4,9,9]"},
    ),
}
LEFT_ALONE = {
    "an equation that is not a literal": ("einsum", "torch.einsum(equation, x, y)"),
    "an equation with a label twice": ("einsum", 'torch.einsum("bii->bi", x)'),
    "a padding that is computed": ("pad-circular", 'F.pad(x, (n, n), mode="circular")'),
    "another library's function": ("hyperbolic", "numpy.sinh(x)"),
    "another mode": ("pad-circular", 'F.pad(x, (1, 1), mode="reflect")'),
    "padding of two axes where it may not be computed": (
        "pad-replicate",
        'y or F.pad(x, (1, 1, 1, 1), mode="replicate")',
    ),
}


def finding_at(source: str, expression: str) -> Finding:
    line = next(number for number, text in enumerate(source.splitlines(), 1) if expression in text)
    column = source.splitlines()[line - 1].index(expression)
    place = Range("model.py", Position(line, column), Position(line, column + len(expression)))
    return Finding("rule", Severity.INFORMATION, "message", place)


def called(source: str, names: list[str], given: dict[str, torch.Tensor]) -> torch.Tensor:
    scope: dict[str, object] = {}
    exec(source, scope)
    return scope["f"](*(given[name] for name in names))  # type: ignore[operator]


@pytest.mark.parametrize("name", CASES)
def test_an_edit_is_equal_and_keeps_the_rest(name: str) -> None:
    code, expression, wanted, inputs = CASES[name]
    names = list(inputs)
    source = f"{HEADER}def f({', '.join(names)}):\n    # ünïcode stays\n    return {expression}  # why\n"
    (fix,) = fixes_of(finding_at(source, expression), source, [code])
    edited = apply_edits(source, fix.edits)
    if wanted is not None:
        assert edited == source.replace(expression, wanted)
    assert edited.endswith("  # why\n")
    given = tensors(Example(expression, inputs))
    torch.testing.assert_close(
        called(edited, names, given), called(source, names, given), rtol=1e-4, atol=1e-5, equal_nan=True
    )


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_the_text_does_not_tell_is_left_alone(name: str) -> None:
    code, expression = LEFT_ALONE[name]
    source = f"{HEADER}def f(x, y):\n    return {expression}\n"
    assert fixes_of(finding_at(source, expression), source, [code]) == ()


def test_an_import_is_added_after_the_future_and_the_docstring() -> None:
    source = '"""Doc."""\n\nfrom __future__ import annotations\n\nfrom torch.nn import functional as F\n\n\n'
    source += 'def f(x):\n    return F.pad(x, (1, 2), mode="circular")\n'
    (fix,) = fixes_of(finding_at(source, 'F.pad(x, (1, 2), mode="circular")'), source, ["pad-circular"])
    edited = apply_edits(source, fix.edits)
    imports = [ast.unparse(node) for node in ast.parse(edited).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert imports[:2] == ["from __future__ import annotations", "import torch"]
    x = torch.arange(8.0).reshape(1, 1, 8)
    torch.testing.assert_close(called(edited, ["x"], {"x": x}), called(source, ["x"], {"x": x}))


def test_a_call_inside_a_statement_over_several_lines_is_found() -> None:
    body = 'return F.pad(\n        x,  # the picture\n        (1, 2),\n        mode="circular",\n    )\n'
    source = f"{HEADER}def f(x):\n    {body}"
    start, end = Position(6, 11), Position(10, 5)
    finding = Finding("pad-mode", Severity.INFORMATION, "message", Range("model.py", start, end))
    (fix,) = fixes_of(finding, source, ["pad-circular"])
    x = torch.arange(8.0).reshape(1, 1, 8)
    edited = apply_edits(source, fix.edits)
    torch.testing.assert_close(called(edited, ["x"], {"x": x}), called(source, ["x"], {"x": x}))


def test_rules_without_an_edit_propose_none() -> None:
    source = f"{HEADER}def f(x):\n    return torch.fft.rfft(x)\n"
    assert get_rule("dft").source_edit is None
    assert fixes_of(finding_at(source, "torch.fft.rfft(x)"), source, ["dft"]) == ()


TRACKER = (Path(__file__).parents[2] / "examples/three-problems/model.py").read_text("utf-8")
THREE = {
    'torch.einsum("bmchw,bnmc->bnchw", frames, links)': "einsum",
    "self.norm(features)": "layer-norm-axes",
    'F.pad(features, (1, 1, 1, 1), mode="circular")': "pad-circular",
}


def tracked(source: str) -> tuple[torch.Tensor, list[str]]:
    scope: dict[str, object] = {}
    exec(source, scope)
    torch.manual_seed(0)
    model = scope["Tracker"]().eval()  # type: ignore[operator]
    torch.nn.init.normal_(model.norm.weight)
    torch.nn.init.normal_(model.norm.bias)
    with torch.no_grad():
        return model(torch.randn(2, 4, 8, 16, 16), torch.randn(2, 6, 4, 8)), list(model.state_dict())


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("chosen", [*([item] for item in THREE), list(THREE)])
def test_the_three_problems_are_edited_alone_and_together(chosen: list[str], newline: str) -> None:
    source = TRACKER.replace("\n", newline)
    edits = [
        edit
        for expression in chosen
        for fix in fixes_of(finding_at(source, expression), source, [THREE[expression]])
        for edit in fix.edits
    ]
    edited = apply_edits(source, edits)
    assert not any(expression in edited for expression in chosen)
    assert edited.count(newline) == edited.count("\n")
    assert edited.count("#") == source.count("#")
    (wanted, parameters), (got, kept) = tracked(source), tracked(edited)
    assert kept == parameters
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


MODULES = {
    "celu": ("celu", "nn.CELU(1.5)", "x: float32[2,8]", "F.elu(x / 1.5) * 1.5"),
    "mish": ("mish", "nn.Mish()", "x: float32[2,8]", "x * torch.tanh(F.softplus(x))"),
    "max pooling": ("max-pool-3d", "nn.MaxPool3d(3, 2, 1)", "x: float32[1,2,6,8,8]", None),
    "max pooling of planes": (
        "max-pool-3d",
        "nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2))",
        "x: float32[1,2,4,9,9]",
        "F.max_pool2d(x.flatten(1, 2), 3, stride=2).unflatten(1, x.shape[1:3])",
    ),
    "padding": ("pad-circular", "nn.CircularPad2d((1, 2, 1, 0))", "x: float32[1,2,5,6]", None),
    "replication": ("pad-replicate", "nn.ReplicationPad3d(1)", "x: float32[1,2,4,5,6]", None),
    "upsampling": (
        "resize-by-axis",
        'nn.Upsample(scale_factor=2, mode="linear")',
        "x: float32[1,2,9]",
        'F.interpolate(x.unsqueeze(2), scale_factor=(1, 2), mode="bilinear").squeeze(2)',
    ),
    "upsampling of volumes": (
        "resize-by-axis",
        'nn.Upsample(size=(7, 5, 9), mode="trilinear", align_corners=True)',
        "x: float32[2,3,4,8,8]",
        None,
    ),
    "norm with named sizes": ("layer-norm-axes", "nn.LayerNorm([c, 8])", "x: float32[2,4,8]", None),
    "norm without parameters": (
        "layer-norm-axes",
        "nn.LayerNorm([4, 8], elementwise_affine=False)",
        "x: float32[2,4,8]",
        "F.layer_norm(x.flatten(-2), (32,), eps=self.m.eps).unflatten(-1, self.m.normalized_shape)",
    ),
    "norm without bias": ("layer-norm-axes", "nn.LayerNorm([4, 8], bias=False)", "x: float32[2,4,8]", None),
}
CLASS = """\
import torch
from torch import nn


class Model(nn.Module):
\tdef __init__(self, c=4):
\t\tsuper().__init__()
\t\tself.m = {module}

\tdef forward(self, x):
\t\treturn self.m(x)
"""


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_edited_where_it_is_called(name: str) -> None:
    code, built, given, wanted = MODULES[name]
    source = CLASS.format(module=built)
    (fix,) = fixes_of(finding_at(source, "self.m(x)"), source, [code])
    edited = apply_edits(source, fix.edits)
    assert wanted is None or f"\t\treturn {wanted}\n" in edited
    assert f"self.m = {built}" in edited
    models = []
    for text in (source, edited):
        scope: dict[str, object] = {}
        exec(text, scope)
        models.append(scope["Model"]().eval())  # type: ignore[operator]
    assert list(models[0].state_dict()) == list(models[1].state_dict())
    x = tensors(Example("", {"x": given.removeprefix("x: ")}))["x"]
    torch.testing.assert_close(models[1](x), models[0](x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    ["\t\tif c > 4:\n\t\t\tself.m = nn.Identity()\n", "\t\tself.m, self.k = nn.CELU(), 1\n", "\t\tdel self.m\n"],
)
def test_a_module_that_is_not_surely_the_one_is_left_alone(change: str) -> None:
    source = CLASS.format(module="nn.CELU(1.5)").replace("\n\tdef forward", f"{change}\n\tdef forward")
    assert fixes_of(finding_at(source, "self.m(x)"), source, ["celu"]) == ()


def test_comments_within_a_call_move_above_it() -> None:
    call = 'F.pad(\n        x,  # the picture\n        (1, 2),\n        mode="circular",\n    )'
    source = f"{HEADER}def f(x):\n    return {call}\n"
    place = Range("model.py", Position(6, 11), Position(10, 5))
    (fix,) = fixes_of(Finding("pad-mode", Severity.INFORMATION, "message", place), source, ["pad-circular"])
    assert "    # the picture\n    return torch.cat(" in apply_edits(source, fix.edits)
