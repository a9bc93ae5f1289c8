"""The job that rewrites a captured graph, for the worker pool."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from aipc.core.errors import AipcError
from aipc.core.types import Event, Finding, NodePlacement, Origin, Placement, PlacementReport, SourceMap
from aipc.core.wording import counted
from aipc.graph.extract import infer_shapes
from aipc.graph.save_graph import save_graph
from aipc.numerics.cpu import run_cpu
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.npz import read_npz
from aipc.numerics.stepper import Stepper, load
from aipc.qairt.placement import place
from aipc.qairt.soc import get_soc

from .apply import apply_rules
from .groups import Group, group, readers, sides, signature, with_aliases
from .nonfinite import undecidable
from .proof_classes import ProvedClasses, class_of, elements, joined
from .proofs import Application, Check, Exactness, Proof, Refused, Rewritten, Trigger
from .prove import prove
from .rule import Rule
from .rules import all_rules, get_rule
from .source import fixes_of

Array = np.ndarray[Any, Any]
Report = Callable[[Event], None]
_Pair = tuple[onnx.ModelProto, onnx.ModelProto]

_ROUNDS = 4
_MAX_READERS = 4


def rewrite(
    report: Report,
    *,
    model: str,
    inputs: str,
    soc: str,
    off: Sequence[str],
    triggers: Sequence[str],
    out: str,
    full: bool,
    compiled: bool = False,
    every_site: bool = False,
    proofs: str = "",
) -> Rewritten:
    """Rewrite what the NPU refuses, computes wrongly or cannot build, as far as it can be proved.

    Args:
        model: the captured ONNX file; ``inputs`` (.npz) belong to it.
        off: names of the nodes that placement left off the NPU.
        triggers: what calls for rules besides a refusal, values of :class:`Trigger`.
        out: directory for ``model.onnx`` of the rewritten graph, when anything was rewritten.
        full: compile the rewritten graph to the end when asking for its placement.
        compiled: the captured graph was compiled to the end already: where nothing is rewritten, nothing is asked.
        every_site: prove each site in the simulator; else one of each class (:mod:`aipc.rewrites.proof_classes`).
        proofs: root of the cache that keeps the proofs of classes; empty for none.
    """
    work = _Work(report, Path(model), Path(inputs), soc, Path(out), full, tuple(map(Trigger, triggers)))
    work.every_site = every_site
    work.compiled = compiled
    work.classes = ProvedClasses(Path(proofs) if proofs else None, soc)
    barred: set[tuple[str, str]] = set()
    failed: list[Proof] = []
    while True:
        result = work.apply(set(off), barred)
        if not result.applications:
            return Rewritten(
                False,
                (),
                result.refused,
                tuple(failed),
                undecidable=result.undecidable,
                placement=result.placement,
                seconds=work.seconds,
            )
        by_group, bad = work.prove(result)
        if not bad:
            break
        failed += [by_group[item] for item in bad]
        barred |= {(step.rule, step.root) for item in bad for step in item.applications}
    return Rewritten(
        True,
        tuple(result.applications),
        result.refused,
        (*{id(proof): proof for proof in by_group.values()}.values(), *failed),
        result.derived,
        result.undecidable,
        work.by_class,
        work.equality(),
        result.placement,
        work.seconds,
    )


def propose(report: Report, *, findings: Sequence[Finding], unsaved: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings, with the edits of the source that the rules of their fixes propose. They are not proved.

    Args:
        unsaved: path -> text of files that an editor has not saved.
    """
    texts = dict(unsaved)
    results = []
    for finding in findings:
        file = finding.range.file if finding.range else ""
        if file and file not in texts:
            try:
                # As it lies on disk: inserted lines end as the file's do.
                texts[file] = Path(file).read_bytes().decode("utf-8")
            except (OSError, ValueError):
                texts[file] = ""
        edits = fixes_of(finding, texts.get(file, ""), [fix.rule for fix in finding.fixes])
        results.append(replace(finding, fixes=(*finding.fixes, *edits)))
    return tuple(results)


class _Done:
    """One way through all rules: what was applied and where the rewritten graph's nodes run."""

    def __init__(self) -> None:
        self.applications: list[Application] = []
        self.refused: tuple[Refused, ...] = ()
        self.undecidable: tuple[str, ...] = ()
        self.derived: dict[str, tuple[str, ...]] = {}
        self.aliases: dict[str, str] = {}
        self.placement: PlacementReport | None = None


class _Work:
    def __init__(
        self, report: Report, model: Path, inputs: Path, soc: str, out: Path, full: bool, triggers: tuple[Trigger, ...]
    ) -> None:
        self.report = report
        self.model = model
        self.inputs = inputs
        self.soc = soc
        self.out = out / "model.onnx"
        self.full = full
        self.triggers = triggers
        self.seconds: dict[str, float] = {}
        self.proved: dict[str, Proof] = {}
        self.every_site = False
        self.compiled = False
        self.classes = ProvedClasses(None, soc)
        self.by_class = 0
        self.rules = tuple(rule for rule in all_rules() if rule.exactness is not Exactness.APPROXIMATE)

    def _timed(self, name: str, started: float) -> None:
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)

    def apply(self, off: set[str], barred: Collection[tuple[str, str]]) -> _Done:
        """Apply rules, ask for the placement of the result, and again with the nodes that it names."""
        result = _Done()
        started = time.perf_counter()
        model = ir.load(self.model)
        # Where each node comes from, told by names: lines of the source change more often than the graph does.
        sources = SourceMap({node.name or "": (Origin((), node.name or ""),) for node in model.graph})
        causes: dict[str, str] = {}
        for _ in range(_ROUNDS):
            applied = apply_rules(model, sources, rules=self.rules, refused=off, triggers=self.triggers, barred=barred)
            sources, result.refused = applied.source_map, applied.refused
            result.aliases = {name: applied.aliases.get(value, value) for name, value in result.aliases.items()}
            result.aliases |= applied.aliases
            result.applications += [_traced(item, causes) for item in applied.applications]
            if not applied.applications and not self._to_ask(result):
                break
            path = self.out if result.applications else self.model
            if result.applications:
                save_graph(model, self.out)
            self.report(Event("rewrite", f"{counted(len(result.applications), 'rewrite')}; asking QAIRT again"))
            result.placement = place(path, get_soc(self.soc), finalize=self.full)
            named = {node.node for node in result.placement.nodes if node.placement is not Placement.NPU}
            if named <= off:
                break
            off |= named
        refused = {node.node for node in (result.placement.nodes if result.placement else ()) if not _is_on_npu(node)}
        result.undecidable = tuple(name for name in undecidable(model) if name not in refused | off)
        result.derived = {
            name: tuple(origin.module_path for origin in origins) for name, origins in sources.nodes.items()
        }
        self._timed("apply", started)
        return result

    def _to_ask(self, state: _Done) -> bool:
        """A graph that nothing was found to rewrite in, and that does not compile: which nodes are to blame?"""
        return self.full and not self.compiled and not state.applications and state.placement is None

    def prove(self, state: _Done) -> tuple[Mapping[Group, Proof], list[Group]]:
        """A proof for every group of applications, and the groups whose proof failed. Equal groups share one."""
        started = time.perf_counter()
        before, after = infer_shapes(load(self.model)), infer_shapes(load(self.out))
        captured = {node.name for node in before.graph.node}
        groups = group(state.applications, captured, {node.name for node in after.graph.node})
        after = with_aliases(after, before, state.aliases)
        on_npu = {node.node for node in (state.placement.nodes if state.placement else ()) if _is_on_npu(node)}
        pairs: dict[Group, _Pair] = {}
        contexts: dict[Group, _Pair] = {}
        proofs: dict[Group, Proof] = {}
        for item in groups:
            try:
                pairs[item] = sides(item, before, after, state.aliases)
                near = readers(item, before, after, on_npu)
                if 0 < len(near) <= _MAX_READERS:
                    contexts[item] = sides(item, before, after, state.aliases, near)
            except AipcError as error:
                proofs[item] = self._unproved(item, str(error))
        values = self._values([model for pair in (*pairs.values(), *contexts.values()) for model in pair])
        self.by_class = 0
        # The smallest site of a class is the one that the simulator runs.
        for number, (item, (first, second)) in enumerate(sorted(pairs.items(), key=lambda pair: elements(pair[1][0]))):
            key = signature(first, second, *contexts.get(item, ()))
            if key not in self.proved:
                self.report(Event("rewrite", f"proving {', '.join(item.rules)}", number / len(pairs)))
                self.proved[key] = self._prove(item, first, second, values, contexts.get(item))
            proofs[item] = self.proved[key]
        self._timed("prove", started)
        return proofs, [item for item, proof in proofs.items() if not proof.ok]

    def _prove(
        self,
        item: Group,
        first: onnx.ModelProto,
        second: onnx.ModelProto,
        values: Mapping[str, Array],
        context: _Pair | None,
    ) -> Proof:
        """By the simulator's answer for the class where there is one, else by the site's own."""
        kind = class_of(first, second, *(context or ()))
        known = None if self.every_site else self.classes.get(kind)
        proof = self._compared(item, first, second, values, context, simulate=known is None)
        if known is not None:
            self.by_class += 1
            return joined(proof, known) if proof.ok else proof
        self.classes.add(kind, proof)
        return proof

    def _compared(
        self,
        item: Group,
        first: onnx.ModelProto,
        second: onnx.ModelProto,
        values: Mapping[str, Array],
        context: _Pair | None,
        *,
        simulate: bool,
    ) -> Proof:
        try:
            return prove(
                first,
                second,
                values,
                self.soc,
                exactness=item.exactness,
                rules=item.rules,
                nodes=item.nodes,
                excludes=item.excludes,
                bound_db=min((rule.bound_db for rule in _rules(item) if rule.bound_db is not None), default=None),
                context=context,
                simulate=simulate,
            )
        except (AipcError, KeyError) as error:
            return self._unproved(item, str(error))

    def _unproved(self, item: Group, reason: str) -> Proof:
        return Proof(item.rules, item.nodes, self.soc, "", item.exactness, (Check("set up", False, words=reason),))

    def _values(self, models: Sequence[onnx.ModelProto]) -> dict[str, Array]:
        """The tensors that the models read, as the captured graph computes them."""
        wanted = {value.name for model in models for value in model.graph.input}
        arrays = read_npz(self.inputs)
        arrays_read = {name: array for name, array in arrays.items() if name in wanted}

        def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
            arrays_read.update({name: array for name, array in results.items() if name in wanted})

        stepper = Stepper(load(self.model))
        arrays_read |= {name: array for name, array in stepper.constants.items() if name in wanted}
        stepper.walk(arrays, visit=visit)
        return arrays_read

    def equality(self) -> tuple[Any, ...]:
        """The whole rewritten graph against the captured one, in fp32 on the CPU."""
        started = time.perf_counter()
        self.report(Event("rewrite", "comparing the rewritten graph with the captured one"))
        arrays = read_npz(self.inputs)
        figures = compare_outputs(run_cpu(self.model, arrays), run_cpu(self.out, arrays))
        self._timed("equality", started)
        return figures


def _is_on_npu(node: NodePlacement) -> bool:
    return node.placement is Placement.NPU


def _rules(item: Group) -> list[Rule]:
    return [get_rule(code) for code in item.rules]


def _traced(item: Application, causes: dict[str, str]) -> Application:
    """``item`` with its cause followed back through earlier rounds."""
    cause = causes.get(item.cause, item.cause)
    causes.update(dict.fromkeys(item.new_nodes, cause))
    return replace(item, cause=cause)
