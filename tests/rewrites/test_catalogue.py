"""Every rule of the catalogue: named, documented, fires, does not fire, is equal, and runs on the NPU."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from aipc.core.types import Placement
from aipc.rewrites import rules as package
from aipc.rewrites.proofs import Exactness, Trigger
from aipc.rewrites.rule import Example, Rule
from aipc.rewrites.rules import all_rules

from .harness import apply, capture, deploy, module, tensors

RULES = {rule.code: rule for rule in all_rules()}
CASES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}")
    for rule in RULES.values()
    for number, example in enumerate((rule.before, *rule.more))
]


def test_a_rule_is_a_file_and_codes_are_unique() -> None:
    folder = Path(package.__path__[0])
    files = {path.stem.replace("_", "-") for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert files == set(RULES)
    assert len(all_rules()) == len(RULES)


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
def test_the_negative_is_left_alone(rule: Rule) -> None:
    captured = capture(rule.negative)
    _, applied = apply(captured, rule)
    assert not applied.applications
    assert all(item.why for item in applied.refused)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_rule_fires_keeps_names_unique_and_origins_joined(rule: Rule, example: Example) -> None:
    captured = capture(example)
    model, applied = apply(captured, rule)
    assert applied.applications, [item.why for item in applied.refused]
    kept = {node.name for node in model.graph}
    assert len(kept) == len(list(model.graph))
    for item in applied.applications:
        assert all(name.startswith(f"{item.root}.") for name in item.new_nodes)
        wanted = {origin for name in item.nodes for origin in captured.source_map.origins(name)}
        for name in kept.intersection(item.new_nodes):
            assert wanted <= set(applied.source_map.origins(name))


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_rule_is_proved_and_leaves_nothing_off_the_npu(rule: Rule, example: Example, tmp_path: Path) -> None:
    captured = capture(example)
    refused, result = deploy(captured, rule.trigger, "sm8650", tmp_path)
    if rule.trigger is Trigger.REFUSED:
        assert refused.intersection(rule.ops), "QAIRT takes it as it is: there is nothing to cure"
    for proof in result.proofs:
        assert proof.ok, (proof.rules, proof.failed)
    assert rule.code in {item.rule for item in result.applications}, result.refused
    assert result.placement is not None
    assert result.placement.count(Placement.NPU) == len(result.placement.nodes)
    assert set(result.derived) == {node.node for node in result.placement.nodes}
