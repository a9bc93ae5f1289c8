"""What an expression becomes: its ONNX operators, the NPU's operators, and where they run."""

from __future__ import annotations

from lsprotocol import types as lsp

from aipc.qairt.soc import get_soc

from ..results import current_lines
from ..server import AipcServer, to_path

_MOST = 12


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(parameters: lsp.HoverParams) -> lsp.Hover | None:
        uri = parameters.text_document.uri
        path = str(to_path(uri))
        lines = server.workspace.get_text_document(uri).source.splitlines()
        for checked in server.results.values():
            facts = current_lines(checked, path, lines).get(parameters.position.line + 1)
            if not facts:
                continue
            title = f"**{checked.report.model}** on {get_soc(checked.report.soc).title}, {checked.report.precision}"
            rows = ["| ONNX | NPU | runs on |", "| --- | --- | --- |"]
            for node in facts.nodes[:_MOST]:
                where = node.placement.value + (f": {node.reason}" if node.reason else "")
                rows.append(f"| `{node.op_type}` | {', '.join(node.qnn_ops) or '–'} | {_cell(where)} |")
            if len(facts.nodes) > _MOST:
                rows.append(f"| … {len(facts.nodes) - _MOST} more | | |")
            table = "\n".join(rows)
            return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, f"{title}\n\n{table}"))
        return None


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
