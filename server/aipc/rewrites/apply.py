"""Apply rules to a captured graph, keep its source map, and say what was done and why the rest was not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import onnx_ir as ir
from onnx_ir.passes import common as passes

from aipc.core.types import Origin, SourceMap

from .build import Builder, infer_missing
from .nonfinite import NonFiniteValues
from .proofs import Application, Applied, Refused, Trigger
from .rule import NoMatch, Rule
from .rules import all_rules

_MAX_ROUNDS = 12
_BY_FORM = (Trigger.WRONG, Trigger.COARSE, Trigger.FUSED, Trigger.MASKED)
"""Triggers of rules that apply to a form, not to what placement names."""


def apply_rules(
    model: ir.Model,
    source_map: SourceMap,
    *,
    rules: Sequence[Rule] | None = None,
    refused: Collection[str] | None = None,
    triggers: Collection[Trigger] = tuple(Trigger),
    barred: Collection[tuple[str, str]] = (),
) -> Applied:
    """Rewrite ``model`` in place until no rule applies.

    Args:
        model: static shapes, unique node names.
        refused: names of the nodes that placement left off the NPU; rules of :attr:`Trigger.REFUSED` apply to them and
            to what was made from them. None stands for every node.
        triggers: those that apply wherever their form is found (see :class:`Trigger`).
        barred: (rule code, node name) pairs that are not to be tried: their proof failed.

    Returns:
        The applications in order, the reasons of the rules that did not apply, and the source map of the new graph.
    """
    candidates = tuple(all_rules() if rules is None else rules)
    infer_missing(model)
    wanted = set(refused) if refused is not None else None
    state = _State(model, dict(source_map.nodes), wanted, frozenset(triggers), set(barred))
    for _ in range(_MAX_ROUNDS):
        if not state.round(candidates):
            break
    passes.RemoveUnusedNodesPass()(model)
    left = {node.name for node in model.graph}
    origins = {name: origin for name, origin in state.origins.items() if name in left}
    why = {(item.rule, item.node): item for item in state.refused if item.node in left}
    aliases = {name: value.name or "" for name, value in state.aliases.items()}
    return Applied(tuple(state.applications), tuple(why.values()), SourceMap(origins), aliases)


class _State:
    def __init__(
        self,
        model: ir.Model,
        origins: dict[str, tuple[Origin, ...]],
        wanted: set[str] | None,
        triggers: frozenset[Trigger],
        barred: set[tuple[str, str]],
    ) -> None:
        self.model = model
        self.origins = origins
        self.wanted = wanted
        self.triggers = triggers
        self.barred = barred
        self.causes: dict[str, str] = {}
        self.ancestry: dict[str, frozenset[str]] = {}
        """Node that was made -> the rules that it goes back to."""
        self.aliases: dict[str, ir.Value] = {}
        self.unnamed: set[ir.Value] = set()
        """Values that rules made and that do not carry the name of a captured tensor."""
        self.applications: list[Application] = []
        self.refused: list[Refused] = []
        self.nonfinite = NonFiniteValues(model)

    def round(self, rules: Sequence[Rule]) -> bool:
        """One walk over the graph. True when something changed."""
        changed = False
        self.nonfinite = NonFiniteValues(self.model)
        folded = _folded(self.model.graph)
        for node in list(self.model.graph):
            if node.graph is None or node in folded:
                continue
            for rule in rules:
                if self._applies(rule, node) and self._try(rule, node):
                    changed = True
                    break
        return changed

    def _applies(self, rule: Rule, node: ir.Node) -> bool:
        if node.domain or node.op_type not in rule.ops or (rule.code, node.name) in self.barred:
            return False
        if rule.trigger in _BY_FORM and rule.code in self.ancestry.get(node.name or "", ()):
            return False  # its own result often has the form that it starts from
        if rule.also in self.triggers or (rule.trigger is not Trigger.REFUSED and rule.trigger in self.triggers):
            return True
        if rule.trigger in _BY_FORM:
            return False
        if self.wanted is None or node.name in self.wanted:
            return True
        return rule.trigger is Trigger.UNBUILDABLE and any(item.name in self.causes for item in _neighbours(node))

    def _try(self, rule: Rule, node: ir.Node) -> bool:
        graph = self.model.graph
        builder = Builder(node, self.model.opset_imports.get("", 1))
        try:
            answer = rule.rewrite(node, builder)
            values = [answer] if isinstance(answer, ir.Value) else list(answer)
            new_nodes = _needed(builder, values)
            self.nonfinite.require(rule.excludes, new_nodes)
        except NoMatch as reason:
            if self.wanted is None or node.name in self.wanted:
                self.refused.append(Refused(rule.code, node.name or "", str(reason)))
            return False
        used = {value for item in new_nodes for value in item.inputs} | set(values)
        for constant in builder.constants:
            if constant in used:
                graph.register_initializer(constant)
        self._replace(node, new_nodes, values, builder)
        name = node.name or ""
        cause = self.causes.get(name, name)
        absorbed = [item for item in builder.absorbed if item is node or not _is_used(item)]
        joined = tuple(dict.fromkeys(o for item in builder.absorbed for o in self.origins.get(item.name or "", ())))
        for item in new_nodes:
            self.origins[item.name or ""] = joined
            self.causes[item.name or ""] = cause
            self.ancestry[item.name or ""] = self.ancestry.get(name, frozenset()) | {rule.code}
            if self.wanted is not None and name in self.wanted:
                self.wanted.add(item.name or "")
        nodes = tuple(item.name or "" for item in absorbed)
        names = tuple(item.name or "" for item in new_nodes)
        # A value that was there before may take the name of the one that it stands for: its node belongs to this, too.
        makers = [maker for value in values if (maker := value.producer()) is not None and maker not in new_nodes]
        touched = tuple(item.name or "" for item in (*builder.absorbed, *makers))
        self.applications.append(
            Application(
                rule.code,
                rule.title,
                rule.trigger,
                rule.exactness,
                name,
                nodes,
                names,
                touched,
                cause,
                rule.excludes,
            )
        )
        for item in reversed(absorbed):
            if item is not node and item.graph is not None:
                graph.remove(item, safe=True)
        return True

    def _replace(self, node: ir.Node, nodes: list[ir.Node], values: list[ir.Value], builder: Builder) -> None:
        graph = self.model.graph
        fresh = {value for item in nodes for value in item.outputs}
        for index, (old, new) in enumerate(zip(node.outputs, values, strict=False)):
            if old.is_graph_output() and new not in fresh:
                # A graph's output needs a node of its own that makes it.
                values[index] = new = builder.op("Identity", new)
                nodes.append(builder.nodes[-1])
                fresh.add(new)
            if new in fresh:
                new.type, new.shape = old.type or new.type, old.shape or new.shape
        graph.insert_before(node, nodes)
        self.unnamed |= fresh
        for old, new in zip(node.outputs, values, strict=False):
            name = old.name or ""
            ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
            self.aliases.update({alias: new for alias, value in self.aliases.items() if value is old})
            if old in self.unnamed:
                continue
            if new in fresh or new in self.unnamed:
                old.name, new.name = f"{name}.replaced", name
                self.unnamed.discard(new)
                fresh.discard(new)
            else:
                self.aliases[name] = new
        graph.remove(node, safe=True)


def _folded(graph: ir.Graph) -> set[ir.Node]:
    """Nodes that read constants only: they are computed before anything is compiled."""
    nodes: set[ir.Node] = set()
    for node in graph:
        inputs = [value for value in node.inputs if value is not None]
        if inputs and all(value.producer() in nodes or value.is_initializer() for value in inputs):
            nodes.add(node)
    return nodes


def _neighbours(node: ir.Node) -> Iterator[ir.Node]:
    for value in node.inputs:
        made_by = value.producer() if value is not None else None
        if made_by is not None:
            yield made_by
    for output in node.outputs:
        yield from (use.node for use in output.uses())


def _needed(builder: Builder, values: Sequence[ir.Value]) -> list[ir.Node]:
    """The nodes that the replacement really uses, in the order in which they were made."""
    wanted = set(values)
    nodes = []
    for node in reversed(builder.nodes):
        if wanted.intersection(node.outputs):
            nodes.append(node)
            wanted.update(value for value in node.inputs if value is not None)
    return nodes[::-1]


def _is_used(node: ir.Node) -> bool:
    return any(output.uses() or output.is_graph_output() for output in node.outputs)
