"""Applications that belong together, and the two graphs that a proof compares for each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import onnx

from aipc.graph.extract import subgraph

from .proofs import Application, Exactness, NonFinite

_ORDER = (Exactness.EXACT, Exactness.ROUNDING, Exactness.APPROXIMATE)


@dataclass(frozen=True, slots=True)
class Group:
    """Applications whose nodes touch: ``nodes`` of the captured graph became ``new_nodes`` of the rewritten one."""

    applications: tuple[Application, ...]
    nodes: tuple[str, ...]
    new_nodes: tuple[str, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.rule for item in self.applications))

    @property
    def exactness(self) -> Exactness:
        return max((item.exactness for item in self.applications), key=_ORDER.index)

    @property
    def excludes(self) -> NonFinite:
        """Numbers for which one of its applications does not hold."""
        return reduce(or_, (item.excludes for item in self.applications), NonFinite.NONE)


def group(applications: Sequence[Application], captured: Collection[str], left: Collection[str]) -> tuple[Group, ...]:
    """Join applications where one replaced what another made.

    Args:
        captured: names of the captured graph's nodes. left: names of the rewritten graph's nodes.
    """
    leader: dict[str, int] = {}
    joined: dict[int, list[Application]] = {}
    for number, item in enumerate(applications):
        members = [item]
        for other in {leader[name] for name in (*item.nodes, *item.touched) if name in leader}:
            members = joined.pop(other) + members
        joined[number] = members
        for member in members:
            leader.update(dict.fromkeys((*member.nodes, *member.touched, *member.new_nodes), number))
    result = []
    for members in joined.values():
        nodes = dict.fromkeys(name for item in members for name in (*item.nodes, *item.touched) if name in captured)
        outputs = dict.fromkeys(name for item in members for name in item.new_nodes if name in left)
        result.append(Group(tuple(members), tuple(nodes), tuple(outputs)))
    return tuple(result)


def with_aliases(after: onnx.ModelProto, before: onnx.ModelProto, aliases: Mapping[str, str]) -> onnx.ModelProto:
    """``after`` with a node for every captured tensor that another tensor stands for, so that they can be compared."""
    outputs = {name for node in after.graph.node for name in node.output}
    there = outputs | {item.name for item in (*after.graph.input, *after.graph.initializer)}
    types = {value.name: value for value in (*before.graph.value_info, *before.graph.output)}
    for name, value in aliases.items():
        if name in types and name not in outputs and value in there:
            after.graph.node.append(onnx.helper.make_node("Identity", [value], [name], name=_alias(name)))
            after.graph.value_info.append(types[name])
    return after


def _alias(tensor: str) -> str:
    return f"alias of {tensor}"


def readers(item: Group, before: onnx.ModelProto, after: onnx.ModelProto, usable: Collection[str]) -> tuple[str, ...]:
    """Nodes that both graphs have, of those in ``usable``, and that read what the group makes."""
    results = {name for node in after.graph.node if node.name in item.new_nodes for name in node.output}
    captured = {node.name for node in before.graph.node} - set(item.nodes)
    return tuple(
        node.name
        for node in after.graph.node
        if node.name in usable and node.name in captured and results.intersection(node.input)
    )


def sides(
    item: Group,
    before: onnx.ModelProto,
    after: onnx.ModelProto,
    aliases: Mapping[str, str],
    with_readers: Collection[str] = (),
) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The group's part of the captured graph and of the rewritten one (see :func:`with_aliases`).

    Shapes must be in ``value_info`` of both.

    Args:
        with_readers: further nodes, the same in both.

    Raises:
        QairtError: the type of a tensor on the border is not known.
    """
    first = subgraph(before, {*item.nodes, *with_readers})
    second = subgraph(after, {*item.new_nodes, *with_readers, *(_alias(value.name) for value in first.graph.output)})
    read = {value.name for value in first.graph.input}
    for value in second.graph.input:
        if value.name not in read:
            # The captured part reads it under the name of a tensor that is no more.
            same = next((name for name, other in aliases.items() if other == value.name and name in read), value.name)
            _rename(second, value.name, same)
    return first, second


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
    for value in model.graph.input:
        value.name = new if value.name == old else value.name


def signature(*models: onnx.ModelProto) -> str:
    """Equal for groups that differ in names only: the same operators, attributes, shapes and constants."""
    digest = hashlib.blake2b(digest_size=20)
    for model in models:
        names: dict[str, str] = {}
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        graph = copy.graph
        for value in (*graph.input, *graph.output):
            value.name = _renamed(names, value.name)
        for node in graph.node:
            node.name = ""
            del node.metadata_props[:]
            for side in (node.input, node.output):
                side[:] = [_renamed(names, name) if name else "" for name in side]
        for tensor in graph.initializer:
            tensor.name = _renamed(names, tensor.name)
        for value in graph.value_info:
            value.name = ""
        del graph.value_info[:]
        for value in (*graph.input, *graph.output):
            del value.metadata_props[:]
        ordered = sorted(graph.initializer, key=lambda tensor: tensor.name)
        texts = [tensor.SerializeToString(deterministic=True) for tensor in ordered]
        del graph.initializer[:]
        graph.name = ""
        digest.update(copy.SerializeToString(deterministic=True))
        for text in texts:
            digest.update(text)
    return digest.hexdigest()


def _renamed(names: dict[str, str], name: str) -> str:
    return names.setdefault(name, f"t{len(names)}")


def causes(groups: Sequence[Group]) -> Mapping[str, Group]:
    """Captured node -> the group that replaced it."""
    return {name: item for item in groups for name in item.nodes}
