"""What can be said of a file's models from its text alone."""

from __future__ import annotations

import ast
import difflib
import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aipc.core.errors import AipcError
from aipc.core.types import Finding, Position, Range
from aipc.core.wording import sentence
from aipc.qairt.soc import get_soc
from aipc.source import code_points_before, split_lines
from aipc.source.blocks import Block, Parser
from aipc.source.ignores import shown_findings
from aipc.source.parameters import parameters_of
from aipc.source.scopes import Definition, Program
from aipc.source.torch_names import TENSOR_TYPES

from .answers import Matrix, open_matrix
from .interpret import Interpreter
from .operators import Note, TooMuchError
from .values import UNKNOWN, Function, ImportedName, Instance, Items, Tensor, Value

_KEPT = 400
_PLACES = 4
"""Of one block whose findings are kept: a line typed above it and taken back moves it there and back."""
_EVIDENCE: Mapping[str, object] = {"tier": "text"}


@dataclass(frozen=True, slots=True)
class Followed:
    """What was found by following one model, and what of its file that rests on."""

    depends: Mapping[tuple[str, str], object]
    notes: tuple[Note, ...]
    block: Block
    """Held, so that no other gets its identity."""


@dataclass(slots=True)
class Memory:
    """What is kept from one text to the next."""

    parser: Parser = field(default_factory=Parser)
    followed: OrderedDict[tuple[int, str, int], Followed] = field(default_factory=OrderedDict)
    last: dict[tuple[str, str], tuple[str, Block, tuple[Note, ...]]] = field(default_factory=dict)
    """(path, first line) -> the SoC, and what was said of the block the last time that it was Python."""


_memory = Memory()
_log = logging.getLogger(__name__)


def lint(text: str, path: str, soc: str) -> tuple[Finding, ...]:
    """Findings that can be read from the text of a Python file, for what the models in it do on a SoC.

    They have the compiler tier's rule codes, words and places. What is not sure is not said; nothing is raised for text
    that is not (yet) Python or for a SoC that nothing was measured for.
    """
    if "torch" not in text:
        return ()
    try:
        matrix = open_matrix(get_soc(soc))
    except AipcError:
        return ()
    return () if matrix is None else _lint(text, path, matrix, _memory)


def _lint(text: str, path: str, matrix: Matrix, memory: Memory) -> tuple[Finding, ...]:
    blocks = memory.parser.blocks(text)
    program = Program(blocks)
    notes: dict[int, list[Note]] = {id(block): [] for _, block in blocks}
    for name in program.classes:
        for note in _model(name, program, matrix, memory):
            if note not in notes.get(id(note.block), [note]):
                notes[id(note.block)].append(note)
    findings: list[Finding] = []
    for start, block in blocks:
        own = tuple(notes[id(block)])
        header = (path, block.lines[0] if block.lines else "")
        if block.tree is None:
            findings += _remembered(memory.last.get(header), block, start, path, matrix)
            continue
        if own or header in memory.last:
            memory.last[header] = (matrix.soc.part, block, own)
        findings += _findings(own, path, start, block)
    if len(memory.last) > _KEPT:
        memory.last.clear()
    unique = {(item.rule, item.range, item.message): item for item in findings}
    return shown_findings(sorted(unique.values(), key=_order), split_lines(text), path)


def _model(name: str, program: Program, matrix: Matrix, memory: Memory) -> tuple[Note, ...]:
    """What is said of one class, followed again only where something that it rests on has changed."""
    block = program.classes[name][1]
    key = (id(block), name, id(matrix))
    known = memory.followed.get(key)
    if known is not None and all(_current(program, *item) for item in known.depends.items()):
        memory.followed.move_to_end(key)
        return known.notes
    interpreter = Interpreter(matrix, program)
    try:
        notes = _follow(name, interpreter)
    except (TooMuchError, RecursionError):
        notes = ()
    except Exception:  # a defect here must not cost the author the other diagnostics
        _log.exception("%s could not be followed", name)
        notes = ()
    memory.followed[key] = Followed(interpreter.depends, notes, block)
    if len(memory.followed) > _KEPT:
        memory.followed.popitem(last=False)
    return notes


def _current(program: Program, key: tuple[str, str], value: object) -> bool:
    kind, name = key
    if kind == "stored":
        return program.stored == value
    if kind == "overridden":
        return program.overridden(name) == value
    binding = program.binding(name)
    now: object = (binding.imported or binding.block) if binding else name in program.names
    return now == value if isinstance(now, (str, bool)) else now is value


def _follow(name: str, interpreter: Interpreter) -> tuple[Note, ...]:
    if not interpreter.is_module(name):
        return ()
    method = interpreter.method(name, "forward")
    if method is None or interpreter.method(name, "__call__") is not None:
        return ()
    forward, block, _ = method
    if not interpreter.plain_decorators(forward, block):
        return ()
    examples = _examples(name, interpreter)
    interpreter.argument_is_input = bool(examples)
    inputs = _inputs(forward, block, examples, interpreter)
    interpreter.call_function(Function(forward, block, {}, Instance(name, True)), [], inputs, complete=True)
    return tuple(interpreter.valid_notes)


def _examples(name: str, interpreter: Interpreter) -> tuple[Value, ...]:
    """What the class's own ``example_inputs()`` returns, in the order of forward's arguments."""
    method = interpreter.method(name, "example_inputs")
    if method is None:
        return ()
    interpreter.quiet += 1
    value = interpreter.call_function(Function(method[0], method[1]), [], {}, complete=True)
    interpreter.quiet -= 1
    return value.items if isinstance(value, Items) else (value,)


def _inputs(forward: Definition, block: Block, examples: Sequence[Value], interpreter: Interpreter) -> dict[str, Value]:
    """forward's arguments: tensors by their annotation or their example, else what may be one."""
    arguments = forward.args
    places = [*arguments.posonlyargs, *arguments.args][1:]
    optional = parameters_of(arguments).defaults
    values: dict[str, Value] = {}
    for index, item in enumerate(places):
        example = examples[index] if index < len(examples) else UNKNOWN
        if isinstance(example, Tensor):
            values[item.arg] = Tensor(example.rank, example.dtype, True, True, "argument")
        elif item.arg in optional:
            values[item.arg] = UNKNOWN
        elif item.annotation is None:
            values[item.arg] = Tensor(sure=False, made_by="argument")
        else:
            annotated = _is_tensor(item.annotation, block, interpreter)
            values[item.arg] = Tensor(made_by="argument") if annotated else UNKNOWN
    return values | {item.arg: UNKNOWN for item in arguments.kwonlyargs}


def _is_tensor(annotation: ast.expr, block: Block, interpreter: Interpreter) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return False
    value = interpreter.evaluate(annotation, interpreter.module_frame(block))
    return isinstance(value, ImportedName) and value.name in TENSOR_TYPES


def _remembered(
    last: tuple[str, Block, tuple[Note, ...]] | None, block: Block, start: int, path: str, matrix: Matrix
) -> Iterator[Finding]:
    """What was said of a block when it was last Python, on the lines that it still has."""
    if last is None or last[0] != matrix.soc.part or not last[2]:
        return
    matcher = difflib.SequenceMatcher(a=last[1].lines, b=block.lines, autojunk=False)
    moved = {
        match.a + offset + 1: match.b + offset + 1
        for match in matcher.get_matching_blocks()
        for offset in range(match.size)
    }
    for note in last[2]:
        first, final = note.node.lineno, note.node.end_lineno or note.node.lineno
        if first in moved and all(moved.get(line) == moved[first] + line - first for line in range(first, final + 1)):
            yield _finding(note, path, start + moved[first] - first, last[1].lines)


def _findings(notes: tuple[Note, ...], path: str, start: int, block: Block) -> tuple[Finding, ...]:
    """Those of a block, from memory where neither they nor its place have changed."""
    known = block.memory.setdefault("findings", {})
    if known.get((path, start), (None,))[0] != notes:
        if len(known) >= _PLACES:
            known.clear()
        known[path, start] = (notes, tuple(_finding(note, path, start, block.lines) for note in notes))
    findings: tuple[Finding, ...] = known[path, start][1]
    return findings


def _finding(note: Note, path: str, start: int, lines: Sequence[str]) -> Finding:
    node, verdict = note.node, note.verdict
    end = node.end_lineno or node.lineno
    place = Range(
        path,
        Position(start + node.lineno, _column(lines, node.lineno, node.col_offset)),
        Position(start + end, _column(lines, end, node.end_col_offset or 0)),
    )
    evidence = {**_EVIDENCE, **({"operators": list(verdict.operators)} if verdict.operators else {})}
    return Finding(
        verdict.rule, verdict.severity, sentence(verdict.message), place, verdict.compiler, evidence=evidence
    )


def _column(lines: Sequence[str], number: int, offset: int) -> int:
    return code_points_before(lines[number - 1], offset) if 0 < number <= len(lines) else offset


def _order(finding: Finding) -> tuple[int, int, str]:
    assert finding.range
    return (finding.range.start.line, finding.range.start.column, finding.rule)
