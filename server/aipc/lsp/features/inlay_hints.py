"""At the end of each line that made nodes: where they run, and how far they are from PyTorch."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence

from lsprotocol import types as lsp

from aipc.core.accuracy import NodeError
from aipc.core.types import Placement
from aipc.core.wording import counted

from ..check_state import Place, current_places
from ..node_times import time_text
from ..server import AipcServer

_BLAMED = 0.1
"""Share of the model's error from which on a line is told that it introduces it."""


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def hints(parameters: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        path = server.file_of(parameters.text_document.uri)
        if path is None or not server.setting("inlayHints.enabled", True):
            return []
        lines = server.lines(path)
        first, last = parameters.range.start.line + 1, parameters.range.end.line + 1
        of_lines: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
        for checked in server.results.values():
            by_line: dict[int, list[Place]] = defaultdict(list)
            for place in current_places(checked, path, lines):
                if first <= place.range.start.line <= last:
                    by_line[place.range.start.line].append(place)
            stale = checked.is_stale(path, lines)
            total = checked.report.nodes
            when = _when(checked.checked_at)
            for number, places in by_line.items():
                text = label(places, accuracy=bool(server.setting("inlayHints.accuracy", True)))
                text = f"{text} (stale)" if stale else text
                of_lines[number].append((checked.report.model, text, tooltip(places, total) + when))
        hints_of_file = []
        for number, labels in of_lines.items():
            where = lsp.Position(number - 1, server.documents.position_codec.client_num_units(lines[number - 1]))
            text, tip = joined_labels(labels)
            hints_of_file.append(lsp.InlayHint(where, text, padding_left=True, tooltip=tip))
        return hints_of_file


def joined_labels(labels: Sequence[tuple[str, str, str]]) -> tuple[str, str]:
    """The hint and the tooltip of a line; where several models ran it, each with its name.

    Args:
        labels: model, hint and tooltip of each.
    """
    if len(labels) == 1:
        return labels[0][1:]
    texts = dict.fromkeys(text for _, text, _ in labels)
    hint = next(iter(texts)) if len(texts) == 1 else " | ".join(f"{model}: {text}" for model, text, _ in labels)
    return hint, "\n\n".join(f"{model}\n{tip}" for model, _, tip in labels)


def _when(checked_at: float) -> str:
    """For a result of an earlier session, when it was."""
    return f"\nChecked {time.strftime('%Y-%m-%d %H:%M', time.localtime(checked_at))}." if checked_at else ""


def label(places: Sequence[Place], *, accuracy: bool = True) -> str:
    """Short enough for the end of a line: ``NPU ×3 · 71 dB`` or ``CPU 1/3``."""
    count = len(places)
    on_npu = sum(place.node.placement is Placement.NPU for place in places)
    if on_npu == count:
        text = "NPU" if count == 1 else f"NPU ×{count}"
    else:
        fails = any(place.node.placement is Placement.FAILS for place in places)
        text = f"{'fails' if fails else 'CPU'} {count - on_npu}/{count}"
    errors = [place.error.sqnr_db for place in places if place.error]
    if accuracy and errors:
        worst = min(errors)
        text += " · exact" if worst == float("inf") else f" · {worst:.0f} dB"
        share = share_of(places)
        if share >= _BLAMED:
            text += f", introduces {100 * share:.0f} %"
    times = [place.time for place in places if place.time]
    return f"{text} · {time_text(times)}" if times else text


def share_of(places: Sequence[Place]) -> float:
    """The share of the model's error that the nodes of some places introduce; a fused group counts once."""
    groups: dict[tuple[str, ...], float] = {}
    for place in places:
        if place.error:
            group = place.error.group or (place.node.node,)
            groups[group] = max(groups.get(group, 0.0), place.error.share)
    return min(sum(groups.values()), 1.0)


def tooltip(places: Sequence[Place], total: int) -> str:
    kinds = ", ".join(f"{place.node.op_type}: {place.node.placement.value}" for place in places[:8])
    more = f" and {len(places) - 8} more" if len(places) > 8 else ""
    share = (
        f"{len(places)} of the model's {counted(total, 'node')} ({100 * len(places) / total:.0f} %)" if total else ""
    )
    errors = [place.error for place in places if place.error]
    if errors:
        worst = min(errors, key=lambda error: error.sqnr_db)
        share += f"\nSQNR against PyTorch fp32: {worst.sqnr_db:.1f} dB"
        if worst.ideal_fp16_sqnr_db is not None:
            share += f" (correctly rounded fp16: {worst.ideal_fp16_sqnr_db:.1f} dB)"
        share += "".join(f"\n{line}" for line in blame(worst))
    return f"{kinds}{more}\n{share}"


def blame(error: NodeError) -> list[str]:
    """Where a node's error comes from, and what it does to the outputs; what was not measured is left out."""
    lines = []
    if error.introduced_sqnr_db is not None and error.inherited_sqnr_db is not None:
        lines.append(
            f"introduced here: {decibels(error.introduced_sqnr_db)}; inherited: {decibels(error.inherited_sqnr_db)}"
        )
    if error.effect_sqnr_db is not None:
        share = f": {100 * error.share:.0f} % of the error" if error.share else ""
        lines.append(f"alone it leaves the outputs at {decibels(error.effect_sqnr_db)}{share}")
    return lines


def decibels(value: float) -> str:
    return "exact" if value == float("inf") else f"{value:.1f} dB"
