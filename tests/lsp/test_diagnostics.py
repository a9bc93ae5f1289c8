"""Findings come as diagnostics on the exact expression, in UTF-16 columns, and go when they no longer hold."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types as lsp

from .conftest import SOURCE, change, check, pull, save

pytestmark = pytest.mark.asyncio


async def findings_after_save(client, uri, *, seconds=60, severity=None):
    """The first findings that come; with ``severity`` those of the check's end, when what deploy solves is known."""
    save(client, uri)
    for _ in range(int(seconds / 0.2)):
        report = await pull(client, uri)
        if report.items and severity in (None, report.items[0].severity):
            return report
        await asyncio.sleep(0.2)
    raise AssertionError("no diagnostics came")


def text_at(source, place):
    line = source.splitlines()[place.start.line].encode("utf-16-le")
    return line[2 * place.start.character : 2 * place.end.character].decode("utf-16-le")


async def test_saving_brings_the_finding_on_its_expression(client, opened):
    uri = opened()
    assert not (await pull(client, uri)).items
    (found,) = (await findings_after_save(client, uri)).items
    assert text_at(SOURCE, found.range) == 'F.pad(größe, (1, 1, 1, 1), mode="circular")'
    assert (found.code, found.source, found.severity) == ("pad-mode", "aipc", lsp.DiagnosticSeverity.Warning)
    assert "QAIRT: Pad mode only support constant." in found.message


async def test_what_deploy_solves_by_itself_becomes_information(client, opened):
    uri = opened()
    (found,) = (await findings_after_save(client, uri, severity=lsp.DiagnosticSeverity.Information)).items
    assert found.code == "pad-mode"
    assert "Deploy solves this by itself" in found.message
    assert "QAIRT: Pad mode only support constant." in found.message


async def test_an_unchanged_file_is_answered_without_items(client, opened):
    uri = opened()
    first = await findings_after_save(client, uri)
    again = await pull(client, uri, first.result_id)
    assert again.kind == "unchanged"


async def test_findings_move_with_their_line_and_go_with_it(client, opened):
    uri = opened()
    await findings_after_save(client, uri)
    change(client, uri, f"# one more line\n{SOURCE}", 2)
    (moved,) = (await pull(client, uri)).items
    assert moved.range.start.line == 9
    change(client, uri, SOURCE.replace('"circular"', '"constant"'), 3)
    assert not (await pull(client, uri)).items


async def test_a_corrected_model_has_no_findings_after_the_next_check(client, opened, tmp_path):
    uri = opened()
    await findings_after_save(client, uri)
    better = SOURCE.replace('"circular"', '"constant"')
    (tmp_path / "model.py").write_text(better, encoding="utf-8")
    change(client, uri, better, 2)
    report = await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    assert report["placement"]["cpu"] == 0
    assert not (await pull(client, uri)).items


async def test_an_error_in_the_model_is_shown_at_its_line(client, opened):
    source = SOURCE.replace("torch.relu(x)", "torch.relu(x.reshape(7))")
    uri = opened(source)
    (found,) = (await findings_after_save(client, uri)).items
    assert found.severity is lsp.DiagnosticSeverity.Error
    assert "reshape(7)" in text_at(source, found.range)


async def test_half_typed_code_disturbs_nothing(client, opened):
    uri = opened("class Model(nn.Module):\n    def forward(self, x:\n")
    save(client, uri)
    assert not (await pull(client, uri)).items
