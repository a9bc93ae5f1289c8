"""The look-up: what a call's constants select, what is said of SoCs that were not measured, and how light it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aipc.core.errors import InputError
from aipc.ops import matrix
from aipc.ops.data import Coverage, Data, MeasuredVariant
from aipc.ops.measurements import CPU, RUNS, WRONG, Measured

GRID = "torch.nn.functional.grid_sample"
POOL = "torch.nn.functional.max_pool2d"


def variant(id, operators, attributes, verdict, *, shape="1,6,10,12", label="", reason=""):
    measured = {"sm8350": Measured(CPU, "no fp16"), "sm8650": Measured(verdict, reason)}
    return MeasuredVariant(id, "family", operators, attributes, label, (f"float32[{shape}]",), ("Op",), measured)


DATA = Data(
    "2.51.0",
    {"qairt": "2.51.0"},
    {"sm8350": 68, "sm8650": 75},
    (
        variant("grid_sample[mode=bilinear]", (GRID,), {"mode": "bilinear"}, RUNS),
        variant("grid_sample[mode=bicubic]", (GRID,), {"mode": "bicubic"}, WRONG, reason="1 instead of 2"),
        variant("grid_sample[3d]", (GRID,), {"mode": "bilinear"}, CPU, shape="1,3,4,6,8"),
        variant("max_pool2d[kernel_size=3]", (POOL, "torch.nn.MaxPool2d"), {"kernel_size": 3}, RUNS),
        variant("max_pool2d[special]", (POOL,), {}, CPU, label="something special"),
    ),
    {GRID: ("input", "grid", ("mode", "bilinear"))},
    Coverage(("aten::relu", "aten::grid_sampler"), ("aten::grid_sampler",)),
)


def ids(answer):
    return [item.id for item in answer.variants]


def test_the_constants_of_a_call_select_the_variant():
    answer = matrix.lookup(GRID, {"mode": "bicubic", "rank": 4}, "sm8650", data=DATA)
    assert ids(answer) == ["grid_sample[mode=bicubic]"]
    assert answer.exact
    assert answer.verdict == WRONG


def test_what_was_not_said_is_named_when_the_verdict_depends_on_it():
    answer = matrix.lookup(GRID, {"mode": "bilinear"}, "sm8650", data=DATA)
    assert answer.verdict is None
    assert answer.depends_on == ("rank",)


def test_a_constant_that_was_not_measured_gives_the_nearest_and_says_so():
    answer = matrix.lookup(GRID, {"mode": "cubic", "rank": 5}, "sm8650", data=DATA)
    assert ids(answer) == ["grid_sample[3d]"]
    assert not answer.exact
    assert answer.contradicted == ("mode",)


def test_an_attribute_that_no_variant_mentions_does_not_matter():
    assert matrix.lookup(GRID, {"mode": "bicubic", "colour": "red"}, "sm8650", data=DATA).exact


@pytest.mark.parametrize("size", [3, (3, 3), [3, 3]])
def test_a_number_and_a_tuple_of_it_are_the_same(size):
    assert ids(matrix.lookup(POOL, {"kernel_size": size}, "sm8650", data=DATA)) == ["max_pool2d[kernel_size=3]"]


def test_a_labelled_variant_counts_only_where_nothing_else_is_known():
    assert matrix.lookup(POOL, {}, "sm8650", data=DATA).verdict == RUNS


def test_an_operator_that_was_not_measured_has_no_answer():
    assert matrix.lookup("torch.relu", {}, "sm8650", data=DATA) is None


def test_a_soc_is_spoken_for_by_its_arch():
    assert matrix.lookup(GRID, {"mode": "bicubic"}, "qcs8300", data=DATA).soc == "sm8650"


@pytest.mark.parametrize("soc", ["qcs6490", "sm8750", "sa8295"])
def test_a_soc_that_nothing_speaks_for_is_an_error_that_says_what_was_measured(soc):
    with pytest.raises(InputError, match=r"sm8650 \(v75\)"):
        matrix.lookup(GRID, {}, soc, data=DATA)


@pytest.mark.parametrize("name", ["grid_sample", "GRID_SAMPLE", "functional.grid_sample", "grid*", GRID])
def test_an_operator_is_found_by_its_end_a_pattern_or_its_whole_name(name):
    assert matrix.operators(DATA, name) == [GRID]


def test_a_misspelt_operator_gets_the_nearest():
    with pytest.raises(InputError, match="did you mean grid_sample"):
        matrix.operators(DATA, "gird_sample")


def test_reading_the_shipped_data_imports_nothing_heavy():
    script = (
        "import sys; from aipc.ops.matrix import lookup; answer = lookup('torch.nn.functional.relu', {}, 'sm8650')\n"
        "print(answer.verdict, *sorted(sys.modules))"
    )
    words = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "numpy", "onnx", "onnxruntime", "onnxscript"} & set(words) == set()
