"""The search over precisions, against a bench whose numbers follow from the plan alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from aipc.core.accuracy import NodeAccuracy, NodeError
from aipc.core.frontier import Frontier, Tried, cheapest
from aipc.core.types import Gate, RemedyRecord, StageRecord
from aipc.pipeline.attempt import Attempt
from aipc.pipeline.attempts import Attempts
from aipc.pipeline.build import Artifacts
from aipc.pipeline.fewest_layers import Suspect, needed, ranked
from aipc.pipeline.outcome import Outcome
from aipc.pipeline.precision_search import frontier, search
from aipc.pipeline.remedy import Remedy
from aipc.pipeline.variant import Variant, variant_for
from aipc.quantize.plan import QuantizationPlan, plan_for

MB = 10**6


@dataclass
class Figures:
    """Every node adds noise of its own; 16 bits take 40 dB off it, fp16 takes all of it."""

    noise: dict[str, float] = field(default_factory=dict)
    threshold: float = 25.0
    fp16: bool = True
    weights_db: float = 45.0
    gains: dict[str, float] = field(default_factory=dict)
    equalized: float = 0.0
    conversions: float = 0.0
    made: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def sqnr(self, plan: QuantizationPlan) -> float:
        total = 10 ** (-self.weights_db / 10)
        for name, power in self.noise.items():
            if name in plan.float_nodes:
                continue
            high = plan.activation_bits == 16 or name in plan.higher
            total += power * (1e-4 if high else 1.0)
        total += self.conversions if plan.higher else 0.0
        gain = self.gains.get(plan.range_method, 0.0) + (self.equalized if plan.equalize else 0.0)
        return -10 * math.log10(total) + gain

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        return self.threshold

    def build(self, variant: Variant, label: str, measure: str, remedy: Remedy | None, base: Attempt | None) -> Attempt:
        self.made.append(label)
        found = self.tried(variant.plan, label, measure)
        gate = Gate("sqnr_db", found.sqnr_db, self.threshold, found.ok)
        failed = None if found.ok else StageRecord("verify", 0.0, False, gate)
        outcome = Outcome(failed=failed, stage="verify")
        return Attempt(
            variant=variant,
            outcome=outcome,
            run=SimpleNamespace(artifacts=Artifacts()),
            measure=measure,
            candidate=found,
        )

    def tried(self, plan: QuantizationPlan | None, label: str, measure: str) -> Tried:
        if plan is None:
            return Tried(label, measure, True, 400 * MB, 4000 * MB, sqnr_db=60.0)
        size = 100 * plan.activation_bits // 8 + len(plan.higher) + 2 * len(plan.float_nodes)
        found = self.sqnr(plan)
        return Tried(
            label, measure, found >= self.threshold, size * MB, 10 * size * MB, sqnr_db=found, higher=plan.higher
        )

    def introduced_error(self, attempt: Attempt) -> NodeAccuracy:
        nodes = {name: NodeError(30.0, effect_sqnr_db=-10 * math.log10(power)) for name, power in self.noise.items()}
        return NodeAccuracy(nodes)

    def judged(self, record: RemedyRecord) -> None:
        self.remedies.append(record.name)


def searched(bench: Figures, precision: str, **options: float) -> Frontier:
    attempts = Attempts(bench, **options)
    search(attempts, Variant(precision=precision), precision)
    return frontier(attempts)


def auto(bench: Figures, **options: float) -> Frontier:
    return searched(bench, "auto", **options)


def mixed(bench: Figures) -> Frontier:
    return searched(bench, "mixed")


def repaired(bench: Figures) -> Frontier:
    """What comes of a deployment in w8a8."""
    attempts = Attempts(bench)
    attempts.repair(attempts.attempt(variant_for("w8a8"), "w8a8 as it was asked for"))
    return frontier(attempts)


def noises(**powers: float) -> dict[str, float]:
    return powers


def test_the_cheapest_that_passes_is_taken_and_the_rest_of_the_frontier_is_shown() -> None:
    attempts = Attempts(Figures(noises(a=1e-4)))
    taken = search(attempts, Variant(precision="auto"), "auto")
    found = frontier(attempts)
    assert [item.label for item in found.tried] == ["w8a8", "w8a16", "fp16"]
    assert found.chosen == "w8a8"
    assert taken.plan == plan_for("w8a8")
    assert [found.is_best(item) for item in found.tried] == [True, True, True]


def test_one_hostile_node_is_the_only_one_kept_higher() -> None:
    bench = Figures(noises(a=1e-4, hostile=0.5, b=2e-4, c=1e-4))
    found = auto(bench)
    chosen = found.candidate(found.chosen)
    assert chosen is not None
    assert chosen.higher == ("hostile",)
    assert chosen.label == "w8a8+1 higher"


def test_the_fewest_nodes_are_found_where_the_effects_alone_mislead() -> None:
    # Together with the weights' own noise the worst five are needed: the sum of effects says fewer.
    bench = Figures({f"n{i}": 1e-3 for i in range(16)}, threshold=24.0, weights_db=24.6)
    found = mixed(bench)
    chosen = found.candidate(found.chosen)
    assert chosen is not None
    fewer = QuantizationPlan(activation_bits=8, range_method="mse", higher=chosen.higher[:-1])
    assert bench.sqnr(fewer) < 24.0 <= chosen.sqnr_db


def test_without_fp16_on_the_chip_none_is_tried() -> None:
    found = auto(Figures(noises(a=1.0), fp16=False, weights_db=10.0))
    assert found.chosen is None
    assert all("fp16" not in item.label for item in found.tried)


def test_other_ranges_come_before_a_higher_precision() -> None:
    bench = Figures(noises(a=6e-3), gains={"measured": 4.0})
    found = repaired(bench)
    assert found.chosen == "w8a8 measured"
    assert [item.label for item in found.tried] == ["w8a8", "w8a8 measured"]


def test_ranges_are_not_tried_where_they_cannot_help() -> None:
    found = repaired(Figures(noises(a=1.0)))
    assert [item.label for item in found.tried] == ["w8a8", "w8a8 equalized", "w8a16", "w8a8+1 higher"]
    assert found.chosen == "w8a8+1 higher"


def test_a_mixture_that_costs_more_than_16_bits_everywhere_says_so() -> None:
    noise = {f"n{i}": 1e-3 for i in range(120)}
    found = repaired(Figures(noise, threshold=30.0, fp16=False))
    assert found.candidate(found.chosen).higher
    assert found.notes == ("w8a16 passes too and is planned to move 2000.0 MB of DDR instead of 2200.0 MB",)
    cheap = repaired(Figures(noises(a=1.0)))
    assert cheap.chosen == "w8a8+1 higher"
    assert cheap.notes == ()


@pytest.mark.parametrize("ask", [mixed, repaired])
def test_no_choice_of_layers_is_tried_where_all_of_them_at_16_bits_do_not_pass(ask) -> None:
    found = ask(Figures(noises(a=1.0, b=0.1), weights_db=22.0, fp16=False))
    assert found.chosen is None
    assert not any(item.higher for item in found.tried)
    assert "w8a16" in [item.label for item in found.tried]


def test_layers_are_chosen_with_equalized_channels_where_16_bits_pass_only_so() -> None:
    bench = Figures(noises(a=1.0), weights_db=22.0, equalized=4.0, fp16=False)
    for found in (mixed(bench), repaired(bench)):
        assert found.chosen == "w8a8 equalized+1 higher"


def test_all_layers_at_16_bits_are_taken_only_where_no_mixture_passes() -> None:
    noise = noises(a=1.0, **{f"n{i}": 1e-4 for i in range(8)})
    assert repaired(Figures(noise)).chosen == "w8a8+1 higher"
    found = repaired(Figures(noise, conversions=0.01, fp16=False))
    assert found.chosen == "w8a16"
    assert any(item.higher for item in found.tried)


def test_equalized_channels_come_before_a_higher_precision_and_are_kept_where_they_help() -> None:
    cured = repaired(Figures(noises(a=1.0), equalized=30.0))
    assert cured.chosen == "w8a8 equalized"
    helped = repaired(Figures(noises(a=1.0, b=1e-3), equalized=8.0))
    assert helped.chosen == "w8a8 equalized+1 higher"


def test_auto_keeps_the_named_layer_higher_and_equalizes_only_where_that_does_not_do() -> None:
    assert auto(Figures(noises(a=1.0), equalized=30.0)).chosen == "w8a8+1 higher"
    bench = Figures(noises(a=1.0, b=1e-5), weights_db=20.0, equalized=30.0, fp16=False)
    assert auto(bench).chosen == "w8a16 equalized"


def test_islands_in_fp16_where_sixteen_bits_do_not_pass() -> None:
    bench = Figures(noises(a=400.0, b=1e-5), threshold=25.0)
    found = auto(bench)
    assert found.candidate(found.chosen).measure == "the worst layer in fp16"
    assert found.candidate(found.chosen).cost < found.candidate("fp16").cost


def test_the_same_answers_give_the_same_search() -> None:
    def labels() -> list[str]:
        return [item.label for item in auto(Figures({f"n{i}": 2.0**-i for i in range(12)})).tried]

    assert labels() == labels()


def test_a_search_out_of_time_says_so_and_keeps_what_it_has() -> None:
    found = auto(Figures(noises(a=1.0)), seconds=0.0)
    assert [item.label for item in found.tried] == ["w8a8", "w8a16", "fp16"]
    assert found.chosen == "w8a16"
    assert "stopped after 0 s" in found.notes[0]


def test_latency_decides_where_a_device_measured_all_that_passed() -> None:
    small = Tried("small", "", True, 10 * MB, 10 * MB, latency_ms=3.0)
    fast = Tried("fast", "", True, 20 * MB, 20 * MB, latency_ms=2.0)
    unmeasured = Tried("unmeasured", "", True, 15 * MB, 15 * MB)
    assert cheapest((small, fast)) is fast
    assert cheapest((small, fast, unmeasured)) is small
    assert cheapest((Tried("x", "", False, 1, 1),)) is None


def test_what_costs_the_same_goes_by_how_much_of_it_is_wider_than_8_bits() -> None:
    wide = Tried("w8a16", "", True, 74_514, 79_872, sqnr_db=34.0, wide_nodes=9)
    mixed = Tried("w8a8+2 higher", "", True, 74_512, 81_920, sqnr_db=31.0, wide_nodes=2)
    assert cheapest((wide, mixed)) is mixed
    large = Tried("large", "", True, 9 * MB, 9 * MB, sqnr_db=30.0, wide_nodes=0)
    assert cheapest((wide, large)) is wide


def test_of_equal_candidates_the_most_accurate_is_taken() -> None:
    coarse, fine = Tried("coarse", "", True, 1, 1, sqnr_db=20.0), Tried("fine", "", True, 1, 1, sqnr_db=30.0)
    assert cheapest((coarse, fine)) is cheapest((fine, coarse)) is fine


def test_costs_count_as_equal_up_to_64_kib_and_no_further() -> None:
    least = Tried("least", "", True, 1000, 1000, wide_nodes=2)
    for more, taken in ((64 << 10, "other"), ((64 << 10) + 1, "least")):
        other = Tried("other", "", True, 1000, 1000 + more, wide_nodes=1)
        found = cheapest((least, other))
        assert found and found.label == taken


def test_a_candidate_that_costs_as_much_as_a_nearer_one_is_not_among_the_best() -> None:
    near = Tried("near", "", True, 10 * MB, 10 * MB, sqnr_db=40.0)
    far = Tried("far", "", True, 10 * MB, 10 * MB, sqnr_db=30.0)
    dear = Tried("dear", "", True, 20 * MB, 20 * MB, sqnr_db=40.0)
    twin = Tried("twin", "", True, 10 * MB, 10 * MB, sqnr_db=40.0)
    found = Frontier((near, far, dear, twin), "near")
    assert [found.is_best(item) for item in found.tried] == [True, False, False, True]


def test_how_many_are_needed_follows_from_the_noise_that_is_left() -> None:
    ranking = [Suspect(("a",), 0.5), Suspect(("b",), 0.05), Suspect(("c",), 0.001)]
    assert needed(ranking, 10, None) == 1
    assert needed(ranking, 20, None) == 2
    assert needed(ranking, 60, None) == 3
    assert needed(ranking, 30, 20) == 1, "a noise of 20 dB is a hundredth in power: without the worst it is below 30 dB"
    assert needed(ranking, 30, 18) == 2
    assert needed(ranking, 20, 22.6) == 1, "the package has less noise than the effects add up to"


@pytest.mark.parametrize("effect", [None, math.inf])
def test_what_was_not_measured_or_does_nothing_is_no_suspect(effect: float | None) -> None:
    found = NodeAccuracy({"a": NodeError(9.0, effect_sqnr_db=effect), "b": NodeError(9.0, effect_sqnr_db=3.0)})
    assert [item.nodes for item in ranked(found)] == [("b",)]
