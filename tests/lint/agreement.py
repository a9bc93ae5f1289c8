"""How far the as-you-type tier agrees with the compiler: ``python -m tests.lint.agreement [FILE ...]``.

Every model of the files is checked by the compiler (and its numbers by the simulator), and what both tiers say of each
line is compared. Prints the false alarms of the text, and the share of the compiler's findings that it has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aipc import engine
from aipc.core.errors import AipcError
from aipc.core.types import Finding
from aipc.core.workers import WorkerPool
from aipc.lint import lint

from .marks import FIXTURES, models

SOC = "sm8650"
# A finding that only numbers have, and that no matrix of operators can know.
_ELSEWHERE = {"fp16-precision", "diverges"}


@dataclass(frozen=True)
class Agreement:
    false_alarms: tuple[str, ...]
    missed: tuple[str, ...]
    compiler: int
    """Findings of the compiler on lines of the files."""

    @property
    def share(self) -> float:
        return 1 - len(self.missed) / self.compiler if self.compiler else 1.0


def compare(files: Iterable[Path], pool: WorkerPool, soc: str = SOC) -> Agreement:
    """Check every model of the files and hold it against the text's findings."""
    alarms: list[str] = []
    missed: list[str] = []
    total = 0
    for path in files:
        text = path.read_text("utf-8")
        said = lint(text, str(path), soc)
        compiler: dict[tuple[object, ...], Finding] = {}
        for name in models(text):
            for found in _checked(path, name, soc, pool):
                if found.range and found.range.file == str(path) and found.rule not in _ELSEWHERE:
                    compiler.setdefault((found.rule, found.range), found)
        total += len(compiler)
        alarms += [_text(path, item) for item in said if not any(_same(item, other) for other in compiler.values())]
        missed += [_text(path, item) for item in compiler.values() if not any(_same(item, other) for other in said)]
    return Agreement(tuple(alarms), tuple(missed), total)


def _checked(path: Path, name: str, soc: str, pool: WorkerPool) -> Sequence[Finding]:
    for numerics in (True, False):  # what does not compile has no numbers
        request = engine.CheckRequest(f"{path}:{name}", soc=soc, numerics=numerics, cwd=path.parent)
        try:
            return engine.check(request, pool).findings
        except AipcError as error:
            problem = error
    print(f"{path.name}:{name} could not be checked: {problem}", file=sys.stderr)
    return ()


def _same(one: Finding, other: Finding) -> bool:
    assert one.range and other.range
    return one.rule == other.rule and one.range == other.range


def _text(path: Path, finding: Finding) -> str:
    assert finding.range
    start = finding.range.start
    return f"{path.name}:{start.line}:{start.column} {finding.rule}: {finding.message}"


def main(arguments: Sequence[str]) -> int:
    files = [Path(item).resolve() for item in arguments] or sorted(FIXTURES.glob("*.py"))
    with WorkerPool() as pool:
        found = compare(files, pool)
    for words, items in (("false alarm", found.false_alarms), ("missed", found.missed)):
        for item in items:
            print(f"{words}: {item}")
    print(f"false alarms: {len(found.false_alarms)}")
    print(f"found of the compiler's {found.compiler} findings: {100 * found.share:.1f} %")
    return 1 if found.false_alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
