"""Every node points to the expression that made it, over fixtures that mark the expressions in their source."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from aipc.capture.export import Exported, export
from aipc.capture.load import import_file
from aipc.capture.recorder import ConstructionRecorder

FIXTURES = Path(__file__).parent / "fixtures"
CARETS = re.compile(r"^(?P<before>\s*#\s*)(?P<carets>\^+) (?P<operator>\w+)$")
ABOVE = re.compile(r"^\s*# <- (?P<operator>\w+)$")


@dataclass(frozen=True)
class Mark:
    line: int
    start: int
    end: int
    operator: str


def marks(source: str, first_line: int) -> list[Mark]:
    """The marks of a stretch of source; each belongs to the last line above it that is no mark."""
    found, target, text = [], first_line, ""
    for number, line in enumerate(source.splitlines(), first_line):
        if match := CARETS.match(line):
            start = len(match["before"])
            found.append(Mark(target, start, start + len(match["carets"]), match["operator"]))
        elif match := ABOVE.match(line):
            stripped = text.strip().rstrip(",")
            start = text.index(stripped)
            found.append(Mark(target, start, start + len(stripped), match["operator"]))
        else:
            target, text = number, line
    return found


@pytest.fixture(scope="module")
def expressions():
    sys.path.insert(0, str(FIXTURES))
    yield import_file(FIXTURES / "expressions.py"), ConstructionRecorder()
    sys.path.remove(str(FIXTURES))


def capture(model: nn.Module, recorder: ConstructionRecorder) -> Exported:
    torch.manual_seed(0)
    return export(model.eval(), (torch.rand(1, 4, 8, 8),), {}, recorder)


NAMES = [
    "SeveralOnOneLine",
    "Loops",
    "Helpers",
    "Layers",
    "Sequence",
    "NotAscii",
    "SeveralLines",
    "InPlace",
    "Decorated",
    "sequential_alone",
]


def measure(expressions, name: str) -> tuple[list[Mark], list[tuple[str, str]], int]:
    """The marks that no node has, the nodes on an expression that is not marked so, and the number of nodes."""
    module, recorder = expressions
    source, first = inspect.getsourcelines(getattr(module, name))
    wanted = marks("".join(source), first)
    with recorder:
        model = getattr(module, name)()
    exported = capture(model, recorder)
    seen, wrong = set(), []
    for node in exported.model.graph:
        origins = exported.source_map.origins(node.name)
        places = [origin.user_frame.range for origin in origins if origin.user_frame]
        spans = {Mark(place.start.line, place.start.column, place.end.column, node.op_type) for place in places}
        seen |= spans
        marked = {mark for mark in wanted if mark.operator == node.op_type}
        in_helper = any(place.file.endswith("helper.py") for place in places)
        if not places or (marked and not spans & marked and not in_helper):
            wrong.append((node.name, str(places)))
    return [mark for mark in wanted if mark not in seen], wrong, len(exported.source_map.nodes)


@pytest.mark.parametrize("name", NAMES)
def test_every_marked_expression_is_found(expressions, name):
    missed, wrong, nodes = measure(expressions, name)
    assert nodes > 0
    assert not missed, missed
    assert not wrong, wrong


def test_at_least_995_of_1000_nodes_are_on_the_right_expression(expressions):
    results = [measure(expressions, name) for name in NAMES]
    nodes = sum(count for _, _, count in results)
    wrong = sum(len(bad) for _, bad, _ in results)
    assert nodes > 25
    assert 1 - wrong / nodes >= 0.995


def test_a_helper_in_another_file_is_the_innermost_user_frame(expressions):
    module, recorder = expressions
    exported = capture(module.Helpers(), recorder)
    (tanh,) = [node for node in exported.model.graph if node.op_type == "Tanh"]
    (origin,) = exported.source_map.origins(tanh.name)
    assert origin.user_frame.range.file.endswith("helper.py")
    assert [frame.function.rpartition(".")[2] for frame in origin.frames] == ["squash", "forward"]


def test_library_modules_keep_the_user_s_call_and_the_library_s_frames():
    timm = pytest.importorskip("timm")
    recorder = ConstructionRecorder()
    with recorder:
        model = timm.create_model("resnet10t", pretrained=False)

    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = model

        def forward(self, x):
            return self.body(x)

    exported = export(Wrapper().eval(), (torch.rand(1, 3, 64, 64),), {}, recorder)
    for node, origins in exported.source_map.nodes.items():
        frame = origins[0].user_frame
        assert frame is not None, node
        assert frame.function.endswith("forward")
        assert frame.range.file == __file__
    conv = next(origins for node, origins in exported.source_map.nodes.items() if "Conv" in node)
    assert any(frame.library and "timm" in frame.range.file for frame in conv[0].frames)
    assert conv[0].module_path.startswith("body.")


def test_node_names_are_unique_and_the_same_every_time(expressions):
    module, recorder = expressions
    first = capture(module.Layers(), recorder)
    second = capture(module.Layers(), recorder)
    names = [node.name for node in first.model.graph]
    assert len(names) == len(set(names))
    assert names == [node.name for node in second.model.graph]


def test_the_nodes_of_a_kind_are_counted_from_zero_in_their_own_module(expressions):
    _, recorder = expressions

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Sigmoid(), nn.Sigmoid())

        def forward(self, x):
            return torch.tanh(torch.tanh(self.inner(x)))

    names = [node.name for node in capture(Counted(), recorder).model.graph]
    assert names == ["inner.0.Sigmoid_0", "inner.1.Sigmoid_0", "Tanh_0", "Tanh_1"]
