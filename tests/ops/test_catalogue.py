"""The catalogue: every operator that it names exists, ids are unique, values are seeded and hold the boundaries."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from aipc.ops.catalogue import all_cases, families
from aipc.ops.inputs import example
from aipc.ops.reference import difference
from aipc.ops.signatures import parameters, resolve


def test_every_operator_that_a_case_names_exists():
    names = {name for case in all_cases().values() for name in case.operators}
    unknown = [name for name in names if not name.startswith("pattern.") and resolve(name) is None]
    assert unknown == []


def test_every_family_has_cases():
    assert {case.family for case in all_cases().values()} == set(families())


def test_values_are_the_same_every_time_and_differ_from_case_to_case():
    one, two = all_cases()["abs"], all_cases()["neg"]
    assert np.array_equal(example(one, "random")[0], example(one, "random")[0])
    assert not np.array_equal(example(one, "random")[0], example(two, "random")[0])


def test_boundary_values_hold_zeros_halves_negative_tiny_and_large():
    (values,) = example(all_cases()["round"], "boundary")
    assert {0.0, 0.5, -0.5, 2.5, 60000.0, -60000.0, np.float32(1e-4)} <= set(values.ravel().tolist())
    assert np.signbit(values[values == 0]).any()


def test_boundary_values_stay_in_the_domain():
    (values,) = example(all_cases()["sqrt"], "boundary")
    assert values.min() >= 0


@pytest.mark.slow
def test_pytorch_runs_every_case():
    broken = []
    for case in all_cases().values():
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case.build().eval()(*map(torch.from_numpy, example(case, "random")))
        except Exception as error:
            broken.append(f"{case.id}: {error}")
    assert broken == []


def test_a_parameter_list_names_the_arguments_in_order_with_their_defaults():
    assert parameters("torch.nn.functional.grid_sample")[:4] == (
        "input",
        "grid",
        ("mode", "bilinear"),
        ("padding_mode", "zeros"),
    )
    assert parameters("torch.nn.functional.max_pool2d")[:2] == ("input", "kernel_size")
    assert parameters("torch.Tensor.permute")[0] == "dims"
    assert parameters("torch.nn.Conv2d")[:3] == ("in_channels", "out_channels", "kernel_size")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1.0, np.nan], [1.0, np.nan], True),
        ([1.0, np.inf], [1.0, np.inf], True),
        ([1.0, np.inf], [1.0, -np.inf], False),
        ([1.0, 2.0], [1.0, 2.00001], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([0.0, -0.0], [-0.0, 0.0], True),
    ],
)
def test_the_graph_and_pytorch_agree_up_to_fp32_rounding(one, other, same):
    words = difference([np.float32(one)], [np.float32(other)])
    assert (words == "") is same


def test_integers_agree_only_exactly():
    assert difference([np.int64([1, 2])], [np.int64([1, 3])]) == "3 instead of 2 at [1]"
