"""At the end of each line that made nodes: how many of them run on the NPU."""

from __future__ import annotations

from lsprotocol import types as lsp

from aipc.core.types import Placement

from ..positions import utf16_units
from ..results import LineFacts, current_lines
from ..server import AipcServer, to_path


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def hints(parameters: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        if not server.setting("inlayHints.enabled", True):
            return []
        uri = parameters.text_document.uri
        path = str(to_path(uri))
        lines = server.workspace.get_text_document(uri).source.splitlines()
        first, last = parameters.range.start.line + 1, parameters.range.end.line + 1
        found = {}
        for checked in server.results.values():
            for number, facts in current_lines(checked, path, lines).items():
                if first <= number <= last and number <= len(lines):
                    place = lsp.Position(number - 1, utf16_units(lines[number - 1]))
                    found[number] = lsp.InlayHint(place, label(facts), padding_left=True, tooltip=tooltip(facts))
        return list(found.values())


def label(facts: LineFacts) -> str:
    on_npu = sum(node.placement is Placement.NPU for node in facts.nodes)
    if on_npu == len(facts.nodes):
        return "NPU" if on_npu == 1 else f"NPU ×{on_npu}"
    fails = any(node.placement is Placement.FAILS for node in facts.nodes)
    return f"{'fails' if fails else 'CPU'} {len(facts.nodes) - on_npu}/{len(facts.nodes)}"


def tooltip(facts: LineFacts) -> str:
    kinds = ", ".join(f"{node.op_type}: {node.placement.value}" for node in facts.nodes[:8])
    more = f" and {len(facts.nodes) - 8} more" if len(facts.nodes) > 8 else ""
    return f"{kinds}{more}"
