"""Every message of the product on one page, for reading: ``make messages`` writes it.

The texts are read from the source: the errors that are raised, the findings, what gates add, and what the extension
shows. ``{name}`` stands for what a message fills in.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aipc.core.rules import RULES
from aipc.core.wording import sentence
from aipc.qairt.explain import phrases

ROOT = Path(__file__).resolve().parents[1]
_TOAST = re.compile(
    r"\b(?P<kind>show(?:Information|Warning|Error)Message|setStatusBarMessage)\(\s*(?P<text>`[^`]*`|\"[^\"\n]*\")"
)
_FINDINGS = {"Finding", "findings_at", "_finding", "_Group"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it stands in the source.

    Args:
        kind: ``error``, ``finding``, ``gate`` or ``editor``.
        place: file and line, from the repository's root.
        text: what happened.
        remedy: what to do, where it is apart.
    """

    kind: str
    place: str
    text: str
    remedy: str = ""

    @property
    def shown(self) -> str:
        return self.text if self.kind in {"editor", "gate"} else sentence(self.text, self.remedy)


def messages(root: Path = ROOT) -> list[Message]:
    """All messages, in the order of the files that have them."""
    every = [Message(kind="finding", place=f"rule {code}", text=text, remedy=then) for code, text, then in phrases()]
    every += [
        Message(kind="finding", place=f"rule {item.code}", text=item.meaning, remedy=item.remedy) for item in RULES
    ]
    for file in sorted((root / "server" / "aipc").rglob("*.py")):
        place = file.relative_to(root).as_posix()
        every += _of_module(ast.parse(file.read_text("utf-8")), place)
    for file in sorted((root / "extension" / "src").rglob("*.ts")):
        every += _of_extension(file.read_text("utf-8"), file.relative_to(root).as_posix())
    return every


def page(root: Path = ROOT) -> str:
    """The page, in Markdown."""
    titles = {"error": "Errors", "finding": "Findings", "gate": "Gates", "editor": "In the editor"}
    lines = ["# Messages", "", "`{name}` stands for what a message fills in."]
    every = messages(root)
    for kind, title in titles.items():
        members = [item for item in every if item.kind == kind]
        lines += ["", f"## {title} ({len(members)})", "", "| message | where |", "| --- | --- |"]
        lines += [f"| {_cell(item.shown)} | {item.place} |" for item in members]
    return "\n".join(lines) + "\n"


def _of_module(tree: ast.Module, place: str) -> Iterator[Message]:
    for function in ast.walk(tree):
        if not isinstance(function, ast.Call):
            continue
        name = function.func.attr if isinstance(function.func, ast.Attribute) else getattr(function.func, "id", "")
        where = f"{place}:{function.lineno}"
        if name.endswith("Error") and function.args and (text := text_of(function.args[0])):
            remedy = next((text_of(item.value) for item in function.keywords if item.arg == "remedy"), "")
            yield Message(kind="error", place=where, text=text, remedy=remedy)
        elif name == "Gate" and len(function.args) > 4 and (text := text_of(function.args[4])):
            yield Message(kind="gate", place=where, text=text)
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef) and _makes_findings(scope):
            for node in ast.walk(scope):
                if not isinstance(node, ast.Assign) or getattr(node.targets[0], "id", "") != "message":
                    continue
                if text := text_of(node.value):
                    yield Message(kind="finding", place=f"{place}:{node.lineno}", text=text)


def _makes_findings(scope: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Call) and getattr(node.func, "id", "") in _FINDINGS for node in ast.walk(scope))


def text_of(node: ast.expr) -> str:
    """A text as it is written, with the names of what it fills in; empty where it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(item) for item in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    if isinstance(node, ast.IfExp):
        return " / ".join(filter(None, (text_of(node.body), text_of(node.orelse))))
    return ""


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.FormattedValue)
    return "{" + ast.unparse(node.value).replace("\n", " ") + "}"


def _of_extension(text: str, place: str) -> Iterator[Message]:
    for match in _TOAST.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Message(kind="editor", place=f"{place}:{line}", text=match["text"][1:-1].replace("${", "{"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist" / "messages.md")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(), "utf-8")
    print(f"wrote {target}")
