"""The part in which two captures of one model differ, cut out of both so that it can be proved alone.

A node is the same in both graphs when it computes the same from the same (told by a digest of all before it), or when
its results are used in the same way (told by a digest of all after it). What is neither has been changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

import onnx

from aipc.core.errors import QairtError
from aipc.graph.extract import subgraph

_MAX_READERS = 4


@dataclass(frozen=True, slots=True)
class Change:
    """Where two graphs differ.

    Args:
        before: the changed part as it was. after: as it is; tensors on the border have the names of ``before``.
        context: both with the nodes that read their results, where these are few.
        removed: names of the nodes that are no more. added: names of those that are new.
    """

    before: onnx.ModelProto
    after: onnx.ModelProto
    context: tuple[onnx.ModelProto, onnx.ModelProto] | None
    removed: tuple[str, ...]
    added: tuple[str, ...]


def changes(before: onnx.ModelProto, after: onnx.ModelProto) -> Iterator[Change]:
    """What differs between two captures of a model with the same inputs and outputs; nothing when they are the same.

    The narrowest part comes first. Then come wider ones, with 1, 2, 4 and more rings of the nodes that read its
    results, up to the model's outputs: what an edit shifts or scales may be undone by a normalization behind it.

    Shapes of intermediate tensors must be in ``value_info`` of both, see :func:`aipc.graph.extract.infer_shapes`.

    Raises:
        QairtError: the two have other inputs or outputs, or the type of a tensor on the border is not known.
    """
    old, new = _Digests(before), _Digests(after)
    _same_borders(before, after)
    old_head, new_head = old.computing(new.values()), new.computing(old.values())
    tail = _tail(old, new, old_head, new_head)
    removed = [i for i in range(len(old.nodes)) if i not in old_head and i not in tail]
    added = [i for i in range(len(new.nodes)) if i not in new_head and i not in tail.values()]
    if not removed and not added:
        return
    renamed, aliases = _in_terms_of(old, new, tail)
    unlike = _reading_others(old, renamed, tail, aliases)
    removed_names, new_names = {old.nodes[i].name for i in removed}, {new.nodes[i].name for i in added} | aliases
    names = tuple(sorted(removed_names)), tuple(sorted(new_names - aliases))

    def with_readers(ring: Set[int]) -> tuple[onnx.ModelProto, onnx.ModelProto]:
        return (
            subgraph(before, removed_names | {old.nodes[i].name for i in ring | unlike}),
            subgraph(renamed, new_names | {new.nodes[tail[i]].name for i in ring | unlike}),
        )

    first, second = with_readers(frozenset())
    if not {value.name for value in first.graph.output} <= {value.name for value in second.graph.output}:
        raise QairtError("the edited part does not give what the rest of the model reads")
    border = {value.name for value in first.graph.output}
    ring = {i for i in tail if old.reads_any(i, border)} - unlike
    context = with_readers(ring) if 0 < len(ring) <= _MAX_READERS else None
    yield Change(first, second, context, *names)
    steps = 1
    while ring:
        yield Change(*with_readers(ring), None, *names)
        wider = ring
        for _ in range(steps):
            wider = wider | {j for i in wider for j in old.readers(i)}
        if wider == ring:
            return
        ring, steps = wider, 2 * steps


class _Digests:
    """A graph's nodes by what is before and what is after them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.nodes = list(model.graph.node)
        self.forward: dict[str, str] = {value.name: _digest("input", value.name) for value in model.graph.input}
        self.forward |= {item.name: _of_tensor(item) for item in model.graph.initializer}
        weights = {item.name for item in model.graph.initializer}
        self.consumers: dict[str, list[tuple[int, int]]] = defaultdict(list)
        bodies = []
        for i, node in enumerate(self.nodes):
            bodies.append(_of_node(node))
            inputs = [self.forward.get(name, "") for name in node.input]
            for k, name in enumerate(node.output):
                self.forward[name] = _digest("value", bodies[i], *inputs, str(k))
            for position, name in enumerate(node.input):
                self.consumers[name].append((i, position))
        ends: dict[str, list[str]] = defaultdict(list)
        for k, value in enumerate(model.graph.output):
            ends[value.name].append(f"output {k}")
        self.backward = [""] * len(self.nodes)
        for i in reversed(range(len(self.nodes))):
            node = self.nodes[i]
            uses = [
                _digest(*sorted(f"{self.backward[j]} {k}" for j, k in self.consumers[name]), *ends[name])
                for name in node.output
            ]
            constants = [self.forward[name] if name in weights else "" for name in node.input]
            self.backward[i] = _digest(bodies[i], *constants, *uses)

    def values(self) -> set[str]:
        return set(self.forward.values())

    def computing(self, digests: Collection[str]) -> set[int]:
        """Nodes all results of which are among ``digests``."""
        return {i for i, node in enumerate(self.nodes) if all(self.forward[name] in digests for name in node.output)}

    def readers(self, i: int) -> set[int]:
        return {j for name in self.nodes[i].output for j, _ in self.consumers[name]}

    def reads_any(self, i: int, names: Collection[str]) -> bool:
        return any(name in names for name in self.nodes[i].input)


def _tail(old: _Digests, new: _Digests, old_head: Collection[int], new_head: Collection[int]) -> dict[int, int]:
    """Nodes, old to new, the results of which are used alike. What reads a node of the tail is in the tail."""
    counts = Counter(old.backward), Counter(new.backward)
    where = {key: j for j, key in enumerate(new.backward) if j not in new_head}
    tail: dict[int, int] = {}
    for i in reversed(range(len(old.nodes))):
        key = old.backward[i]
        j = where.get(key)
        if i in old_head or j is None or counts[0][key] > 1 or counts[1][key] > 1:
            continue
        if old.readers(i) <= tail.keys() and {tail[k] for k in old.readers(i)} == new.readers(j):
            tail[i] = j
    return tail


def _in_terms_of(old: _Digests, new: _Digests, tail: Mapping[int, int]) -> tuple[onnx.ModelProto, set[str]]:
    """The new graph with the old graph's names for tensors that both have, and the nodes added for second names."""
    known = {digest: name for name, digest in reversed(old.forward.items())}
    names = {name: known[digest] for name, digest in new.forward.items() if digest in known and name}
    for i, j in tail.items():
        names |= dict(zip(new.nodes[j].output, old.nodes[i].output, strict=True))
    pairs = [pair for i, j in tail.items() for pair in zip(new.nodes[j].input, old.nodes[i].input, strict=True)]
    ends = zip(new.model.graph.output, old.model.graph.output, strict=True)
    pairs += [(first.name, second.name) for first, second in ends]
    used_names = set(names.values())
    second_names: dict[str, str] = {}
    for value, wanted in pairs:
        if value and names.get(value) != wanted and wanted not in used_names:
            used_names.add(wanted)
            if value in names:
                second_names[wanted] = value
            else:
                names[value] = wanted
    renamed = _renamed(new.model, names)
    types = {value.name: value for value in (*old.model.graph.value_info, *old.model.graph.output)}
    for wanted, value in second_names.items():
        node = onnx.helper.make_node("Identity", [names[value]], [wanted], name=f"alias of {wanted}")
        renamed.graph.node.append(node)
        if wanted in types:
            renamed.graph.value_info.append(types[wanted])
    return renamed, {f"alias of {wanted}" for wanted in second_names}


def _reading_others(
    old: _Digests, renamed: onnx.ModelProto, tail: Mapping[int, int], aliases: Collection[str]
) -> frozenset[int]:
    """Nodes of the tail, as ``old`` counts them, that read what the old graph does not have: a node was put before."""

    def like(wanted: str, value: str) -> bool:
        return wanted == value or f"alias of {wanted}" in aliases

    return frozenset(i for i, j in tail.items() if not all(map(like, old.nodes[i].input, renamed.graph.node[j].input)))


def _renamed(model: onnx.ModelProto, names: Mapping[str, str]) -> onnx.ModelProto:
    """``model`` with other names for its tensors; those without one get a name that no other graph has."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph

    def of(name: str) -> str:
        return names.get(name, f"edited {name}") if name else ""

    for node in graph.node:
        for side in (node.input, node.output):
            side[:] = [of(name) for name in side]
    for part in (graph.initializer, graph.input, graph.output, graph.value_info):
        for item in part:
            item.name = of(item.name)
    # Two constants of equal content have one name now.
    once = {item.name: item for item in graph.initializer}
    nodes = list(once.values())
    del graph.initializer[:]
    graph.initializer.extend(nodes)
    return copy


def _same_borders(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    def border(model: onnx.ModelProto) -> list[str]:
        return [value.name for value in model.graph.input]

    if border(before) != border(after) or len(before.graph.output) != len(after.graph.output):
        raise QairtError("the edited model has other inputs or outputs")


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _of_tensor(tensor: onnx.TensorProto) -> str:
    copy = onnx.numpy_helper.to_array(tensor)
    return _digest("constant", str(copy.dtype), str(copy.shape), hashlib.blake2b(copy.tobytes()).hexdigest())


def _of_node(node: onnx.NodeProto) -> str:
    attributes = sorted(item.SerializeToString(deterministic=True).hex() for item in node.attribute)
    return _digest(node.domain, node.op_type, *attributes)
