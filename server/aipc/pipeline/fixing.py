"""Prove edits of the source on the author's model: capture and place it edited, and hold it against what it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError, CancelledError
from aipc.core.hashing import hash_value
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.types import Finding, Fix, Placement, PlacementReport
from aipc.qairt.soc import get_soc
from aipc.rewrites import worker_jobs as rewrites_jobs
from aipc.rewrites.proofs import Proof
from aipc.rewrites.source import apply_edits
from aipc.source.edits import Edit

from .artifacts import CaptureVerification, GraphPlacement
from .deployment import settle
from .journal import Journal
from .run import Run
from .stages.placement import judge_soc
from .stages.rewrite import catalogue

_GOALS = (CaptureVerification, GraphPlacement)


@dataclass(frozen=True, slots=True)
class Rejected:
    """An edit that is not offered, and why."""

    fix: Fix
    why: str


@dataclass(slots=True)
class Prover:
    """Proves edits against one capture of a model.

    Args:
        run: a run whose stages up to placement are done; its files, SoC and unsaved texts are what edits start from.
    """

    run: Run

    def texts(self, edits: Sequence[Edit]) -> dict[str, str]:
        """The edited files.

        Raises:
            OSError, UnicodeDecodeError: a file cannot be read.
        """
        files: dict[str, list[Edit]] = {}
        for edit in edits:
            files.setdefault(edit[0].file, []).append(edit)
        return {file: apply_edits(self.text(file), file_edits) for file, file_edits in files.items()}

    def text(self, file: str) -> str:
        """A file as it was checked, with its line ends."""
        unsaved = self.run.request.ref.unsaved
        return unsaved[file] if file in unsaved else _read(file)

    def is_own(self, file: str) -> bool:
        """Whether the file is the author's: of the project, and not of an installed package."""
        path = Path(file)
        return path.is_relative_to(self.run.request.ref.root) and not {"site-packages", ".venv"} & set(path.parts)

    def prove(self, fix: Fix, nodes: Sequence[str]) -> Fix | Rejected:
        """The fix with its proof, or why there is none.

        Args:
            nodes: captured nodes of the finding, none of which may be left off the NPU.
        """
        if not all(self.is_own(place.file) for place, _ in fix.edits):
            return Rejected(fix, "it would change a file that is not the project's")
        try:
            edited = self.edited(self.texts(fix.edits))
        except CancelledError:
            raise
        except (AipcError, OSError, UnicodeDecodeError) as error:
            return Rejected(fix, f"the edited model cannot be captured: {error}")
        if isinstance(edited, str):
            return Rejected(fix, edited)
        before, after = (build.artifacts[GraphPlacement].report for build in (self.run, edited))
        replaced = len({item.node for item in _off(before)} & set(nodes))
        if len(_off(after)) > len(_off(before)) - replaced:
            left = ", ".join(dict.fromkeys(item.op_type for item in _off(after)))
            return Rejected(fix, f"the edited model still has nodes off the NPU that it should not have: {left}")
        proof = self.proof(edited, tuple(fix.rule.split(",")))
        if isinstance(proof, str):
            return Rejected(fix, proof)
        if not proof.ok:
            assert proof.failed is not None
            return Rejected(fix, f"{proof.failed.name}: {why(proof)}")
        return replace(fix, proved=True, proof=proof_figures(proof), evidence=_evidence(proof))

    def edited(self, texts: Mapping[str, str]) -> Run | str:
        """The run of the edited model; a sentence when one of its gates is not passed."""
        run = self.run
        ref = replace(run.request.ref, unsaved={**run.request.ref.unsaved, **texts})
        request = replace(run.request, ref=ref, finalize=False)
        settled = settle(run.for_request(request), Journal(run.directory), _GOALS)
        if settled.outcome.ok:
            return settled.run
        gate = settled.outcome.gate
        return f"{settled.outcome.stage}: {gate.detail or gate.metric if gate else 'failed'}"

    def proof(self, edited: Run, rules: Sequence[str]) -> Proof | str:
        """What holds the edited capture against this one; a sentence when the two cannot be compared."""
        digests = [self.run.captured.digest, edited.captured.digest]
        # Edits change the float graph; where the NPU has integers only, it is judged where there is fp16.
        soc = judge_soc(self.run)
        key = hash_value({"proof": digests, "soc": soc, "rules": ",".join(rules), "code": catalogue()})

        def build(directory: Path) -> Mapping[str, Any]:
            proof = self.run.job(
                rewrites_jobs.PROVE_EDIT,
                before=str(self.run.captured.graph),
                after=str(edited.captured.graph),
                inputs=str(self.run.captured.inputs),
                soc=soc,
                rules=list(rules),
            )
            return {"proof": to_plain(proof)}

        try:
            return from_plain(self.run.cache.put(key, build).meta["proof"], Proof)
        except CancelledError:
            raise
        except AipcError as error:
            return str(error)


def proposals(findings: Sequence[Finding]) -> Iterator[tuple[Finding, Fix]]:
    """Every edit that findings carry."""
    for finding in findings:
        for fix in finding.fixes:
            if fix.edits:
                yield finding, fix


def proof_figures(proof: Proof) -> str:
    """For example ``compiles for sm8650, max error 0``: the largest difference in fp32 on the model's own tensors."""
    return f"compiles for {get_soc(proof.soc).part}, max error {_figure(_max_abs(proof))}"


def _max_abs(proof: Proof) -> float:
    return max((item.max_abs for check in proof.checks if _in_fp32(check.name) for item in check.figures), default=0.0)


def _in_fp32(name: str) -> bool:
    return name in {"equal on true inputs", "equal as a whole"}


def _figure(value: float) -> str:
    return "0" if value == 0 else f"{value:.1g}"


def _evidence(proof: Proof) -> Mapping[str, Any]:
    simulated = [
        item.sqnr_db
        for check in proof.checks
        if check.name == "simulator on true inputs"
        for item in check.figures
        if math.isfinite(item.sqnr_db)
    ]
    return {
        "max_abs": _max_abs(proof),
        "simulator_sqnr_db": round(min(simulated), 1) if simulated else None,
        "checks": [check.name for check in proof.checks],
        "qairt": proof.qairt,
        "soc": proof.soc,
        "seconds": proof.seconds,
    }


def why(proof: Proof) -> str:
    """What the failed check of a proof measured."""
    failed = proof.failed
    assert failed is not None
    worst = min((item.sqnr_db for item in failed.figures), default=None)
    figures = "" if worst is None else f"SQNR {worst:.1f} dB, wanted {failed.wanted}"
    return "; ".join(item for item in (failed.words, figures) if item) or f"wanted {failed.wanted}"


def _off(report: PlacementReport) -> list[Any]:
    return [node for node in report.nodes if node.placement is not Placement.NPU]


def _read(file: str) -> str:
    # Line ends stay as they are: positions count them.
    with Path(file).open(encoding="utf-8", newline="") as stream:
        return stream.read()
