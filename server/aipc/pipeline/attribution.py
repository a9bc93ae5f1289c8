"""Which lines introduce the error of a package: nodes of the deployed graph told at the author's expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aipc.core.accuracy import NodeAccuracy, NodeError, responsible
from aipc.core.provenance import Provenance
from aipc.core.types import Finding, Origin, Severity, SourceMap

from .findings import findings_at

CULPRIT_SHARE = 0.2
"""From this share of the model's error on an expression is named."""
_SPREAD = 8.0
"""An outlier channel: its peak leaves the median channel 5 of 8 bits at the most."""


def located(
    accuracy: NodeAccuracy,
    sources: SourceMap,
    kinds: Mapping[str, str],
    provenance: Provenance | None = None,
) -> NodeAccuracy:
    """The same figures by the captured graph's nodes, each with its line.

    Args:
        sources: of the captured graph.
        kinds: node of the measured graph -> operator.
        provenance: of the measured graph, back to captured nodes; None when it is the captured graph. Of several
            nodes for one the one with the largest share of the error stands.
    """
    back = provenance or Provenance()
    nodes: dict[str, NodeError] = {}
    for name, error in accuracy.nodes.items():
        main = responsible(error.group or (name,), kinds)
        located_error = replace(error, group=back.sources(error.group), op_type=kinds.get(main, ""))
        located_error = _with_line(
            located_error, [origin for item in back.sources((main,)) for origin in sources.origins(item)]
        )
        for item in back.sources((name,)):
            if item not in nodes or located_error.share >= nodes[item].share:
                nodes[item] = located_error
    unread = tuple(item for item in back.sources(accuracy.unread) if item not in nodes)
    return replace(accuracy, nodes=nodes, unread=unread)


def _with_line(error: NodeError, origins: Sequence[Origin]) -> NodeError:
    origin = next((origin for origin in origins if origin.user_frame), None)
    if origin is None or origin.user_frame is None:
        return error
    place = origin.user_frame.range
    return replace(error, file=place.file, line=place.start.line, module=origin.module_path)


def culprit_findings(
    accuracy: NodeAccuracy, sources: SourceMap, precision: str, *, bits: int, kinds: Mapping[str, str]
) -> tuple[Finding, ...]:
    """A warning at each expression that introduces much of the error, the worst first.

    Args:
        accuracy: by the captured graph's nodes, as :func:`located` gives it.
        bits: of the activations, to say what an outlier channel leaves to the others.
        kinds: captured node -> operator.
    """
    findings: list[Finding] = []
    reported: set[tuple[str, ...]] = set()
    for name, error in accuracy.worst():
        if error.share < CULPRIT_SHARE or error.group in reported:
            continue
        reported.add(error.group)
        main = responsible(error.group or (name,), kinds)
        message = (
            f"{error.op_type or 'this'} introduces {100 * error.share:.0f} % of the model's error in {precision}: "
            f"alone it leaves the outputs at {error.effect_sqnr_db:.1f} dB SQNR against fp32.{_outlier(error, bits)}"
        )
        for item in findings_at("quantization-error", Severity.WARNING, message, [main], sources):
            findings.append(replace(item, nodes=error.group or (name,), evidence=evidence(error)))
    return tuple(findings)


def evidence(error: NodeError) -> dict[str, object]:
    return {
        "share": error.share,
        "sqnr_db": error.sqnr_db,
        "introduced_sqnr_db": error.introduced_sqnr_db,
        "inherited_sqnr_db": error.inherited_sqnr_db,
        "effect_sqnr_db": error.effect_sqnr_db,
        "channel": error.channel,
        "channel_spread": error.channel_spread,
    }


def _outlier(error: NodeError, bits: int) -> str:
    if error.channel_spread is None or error.channel_spread < _SPREAD or bits > 8:
        return ""
    steps = max(1, round(2**bits / error.channel_spread))
    return (
        f" Channel {error.channel} of its output reaches {error.channel_spread:.0f} times the peak of the median "
        f"channel, and one scale for all leaves that one {steps} of {2**bits} steps. Keep it at 16 bits (--precision "
        "mixed or auto does), or scale that channel down here and up in the next layer."
    )
