"""From nodes of later graphs back to captured ones."""

from __future__ import annotations

from aipc.core.provenance import Provenance
from aipc.core.types import Frame, Origin, Position, Range, SourceMap


def origin(line: int) -> Origin:
    place = Range("/src/ä/model.py", Position(line, 8), Position(line, 20))
    return Origin((Frame(place, "Model.forward", False),), "")


REWRITE = Provenance({"einsum/matmul": ("einsum",), "einsum/sum": ("einsum", "add"), "relu": ("relu",)})
QUANTIZED = Provenance({"matmul_q": ("einsum/matmul", "einsum/sum"), "relu": ("relu",), "new": ()})


def test_a_node_that_is_not_listed_stands_for_itself() -> None:
    assert Provenance().sources(["conv", "relu", "conv"]) == ("conv", "relu")
    assert REWRITE.sources(["conv"]) == ("conv",)


def test_sources_are_named_once_in_the_order_of_the_nodes() -> None:
    assert REWRITE.sources(["einsum/sum", "einsum/matmul"]) == ("einsum", "add")


def test_two_steps_go_back_to_the_captured_nodes() -> None:
    whole = REWRITE.then(QUANTIZED)
    assert whole.sources(["matmul_q"]) == ("einsum", "add")
    assert whole.sources(["new"]) == ()
    assert REWRITE.then(Provenance()) == REWRITE
    assert Provenance().then(QUANTIZED) == QUANTIZED


def test_a_merged_node_has_all_origins_and_an_invented_one_none() -> None:
    captured = SourceMap({"einsum": (origin(3),), "add": (origin(4), origin(3)), "relu": (origin(5),)})
    found = REWRITE.then(QUANTIZED).source_map(captured)
    assert found.origins("matmul_q") == (origin(3), origin(4))
    assert found.origins("new") == ()
    assert Provenance().source_map(captured) is captured
