"""Every rule of the catalogue: named, documented, fires, does not fire, is equal, and runs on the NPU."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from aipc.rewrites import rules as package
from aipc.rewrites.results import Exactness, Trigger
from aipc.rewrites.rule import Example, Rule, all_rules

from .harness import apply, capture, module, proofs, tensors

RULES = {rule.code: rule for rule in all_rules()}
CASES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}")
    for rule in RULES.values()
    for number, example in enumerate((rule.before, *rule.more))
]


def test_a_rule_is_a_file_and_codes_are_unique() -> None:
    folder = Path(package.__path__[0])
    files = [path for path in folder.glob("*.py") if not path.stem.startswith("_")]
    assert len(files) == len(all_rules()) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_what_it_does(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.code)
    assert len(rule.title.split()) >= 4
    assert not rule.title.endswith(".")
    assert rule.ops
    assert (rule.bound_db is not None) == (rule.exactness is Exactness.APPROXIMATE)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_before_and_after_are_the_same_in_pytorch(rule: Rule) -> None:
    given = tensors(rule.before)
    with torch.no_grad():
        expected = module(rule.before.model, list(given))(*given.values())
        actual = module(rule.after, list(given))(*given.values())
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_negative_has_the_operator_and_is_left_alone(rule: Rule) -> None:
    captured = capture(rule.negative)
    assert any(node.op_type in rule.ops for node in captured.model.graph)
    _, applied = apply(captured, rule)
    assert not applied.applications
    assert all(item.why for item in applied.refused)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_rule_is_proved_on_the_simulator(rule: Rule, example: Example) -> None:
    captured = capture(example)
    model, applied = apply(captured, rule)
    assert applied.applications, [item.why for item in applied.refused]
    kept = {node.name for node in model.graph}
    assert len(kept) == len(list(model.graph)), "names are unique"
    for item in applied.applications:
        assert all(name.startswith(f"{item.root}.") for name in item.made)
        wanted = {origin for name in item.nodes for origin in captured.source_map.origins(name)}
        for name in kept.intersection(item.made):
            assert wanted <= set(applied.source_map.origins(name))
    rest = CLEANING if rule.trigger is Trigger.REFUSED else ()
    model, applied = apply(captured, rule, *(item for item in rest if item is not rule))
    found = proofs(captured, model, applied, (rule, *rest), "sm8650")
    for proof in found:
        assert proof.ok, (proof.rules, proof.failed)
    assert found or not kept


CLEANING = tuple(rule for rule in all_rules() if rule.trigger is Trigger.UNBUILDABLE)
