"""Quick fixes: proved before they are preferred, applied as one edit, gone with the finding."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from .conftest import change, check, pull

pytestmark = pytest.mark.asyncio

SOURCE = """\
import torch
import torch.nn.functional as F
from torch import nn


class Ring(nn.Module):
    def forward(self, x):
        größe = torch.relu(x)
        y = ("✓", F.pad(größe, (1, 2), mode="circular"))[1]  # all round
        return F.celu(torch.sigmoid(y), 1.5)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8),)
"""


async def actions(client, uri, diagnostics, only=None):
    whole = diagnostics[0].range if diagnostics else lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    context = lsp.CodeActionContext(diagnostics, only)
    return await client.text_document_code_action_async(
        lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), whole, context)
    )


async def checked(client, uri, tmp_path, model="Ring"):
    await check(client, f"{tmp_path / 'model.py'}:{model}", uri)
    return (await pull(client, uri)).items


def edited(text: str, action: lsp.CodeAction) -> str:
    """The text after an action, as a client applies it: positions in UTF-16 units."""
    (document,) = action.edit.document_changes
    lines = text.splitlines(keepends=True)

    def offset(position: lsp.Position) -> int:
        units = lines[position.line].encode("utf-16-le")[: 2 * position.character]
        return sum(map(len, lines[: position.line])) + len(units.decode("utf-16-le"))

    for edit in sorted(document.edits, key=lambda item: (item.range.start.line, item.range.start.character))[::-1]:
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


async def test_a_finding_has_its_proved_fix_and_the_fix_cures_it(client, opened, tmp_path):
    uri = opened(SOURCE)
    found = await checked(client, uri, tmp_path)
    padding = next(item for item in found if item.code == "pad-mode")
    first, *others = await actions(client, uri, [padding])
    assert first.title.startswith("Circular padding becomes slices of the other end and a concatenation (proved: ")
    assert "compiles for sm8650, max error 0" in first.title
    assert first.is_preferred
    assert list(first.diagnostics) == [padding]
    assert not any(getattr(item, "is_preferred", None) for item in others)
    text = edited(SOURCE, first)
    assert '        y = ("✓", torch.cat([größe[..., -1:], größe, größe[..., :2]], dim=-1))[1]  # all round\n' in text
    (tmp_path / "model.py").write_text(text, "utf-8")
    change(client, uri, text, 2)
    assert [item.code for item in await checked(client, uri, tmp_path)] == ["unsupported-operator"]


async def test_all_fixes_of_a_file_are_one_edit(client, opened, tmp_path):
    uri = opened(SOURCE)
    found = await checked(client, uri, tmp_path)
    titles = [item.title for item in await actions(client, uri, found)]
    assert any(title.startswith("Fix all 2 in this file (proved: compiles for sm8650, max error") for title in titles)
    (all_,) = await actions(client, uri, found, [lsp.CodeActionKind.SourceFixAll])
    text = edited(SOURCE, all_)
    (tmp_path / "model.py").write_text(text, "utf-8")
    change(client, uri, text, 2)
    assert not await checked(client, uri, tmp_path)


async def test_what_was_proved_of_another_text_is_said_to_be_unproved(client, opened, tmp_path):
    uri = opened(SOURCE)
    await checked(client, uri, tmp_path)
    text = SOURCE.replace("torch.sigmoid(y)", "torch.tanh(y)")
    change(client, uri, text, 2)
    (padding,) = (await pull(client, uri)).items
    first, *_ = await actions(client, uri, [padding])
    assert first.title.endswith("(not proved for this text yet)")
    assert not first.is_preferred
    assert first.edit.document_changes[0].text_document.version == 2


async def test_the_hover_says_what_can_be_done(client, opened, tmp_path):
    uri = opened(SOURCE)
    await checked(client, uri, tmp_path)
    line = SOURCE.splitlines()[8]
    at = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(8, line.index("F.pad")))
    hover = await client.text_document_hover_async(at)
    assert "- Quick fix: Circular padding becomes slices" in hover.contents.value
    assert "(proved: compiles for sm8650, max error 0)" in hover.contents.value
