"""A pause in typing checks the text as the editor has it; edits that change no graph are cheap."""

from __future__ import annotations

import pytest

from .conftest import SOURCE, change, check, pull, run
from .test_diagnostics import text_at

pytestmark = pytest.mark.asyncio


async def test_unsaved_text_is_checked_as_it_is(client, opened, tmp_path):
    clean = SOURCE.replace('"circular"', '"constant"')
    uri = opened(clean)
    unsaved = f"# not saved\n{SOURCE}"
    change(client, uri, unsaved, 2)
    await run(client, "aipc.server.checkText", {"uri": uri})
    (found,) = (await pull(client, uri)).items
    assert text_at(unsaved, found.range) == 'F.pad(größe, (1, 1, 1, 1), mode="circular")'
    assert (tmp_path / "model.py").read_text("utf-8") == clean


async def test_half_typed_text_is_left_alone(client, opened):
    uri = opened()
    change(client, uri, f"{SOURCE}\ndef broken(", 2)
    await run(client, "aipc.server.checkText", {"uri": uri})
    assert not (await pull(client, uri)).items


async def test_a_comment_or_a_new_name_costs_no_compile(client, opened, tmp_path):
    uri = opened()
    model = f"{tmp_path / 'model.py'}:Tracker"
    await check(client, model, uri)
    renamed = "# about the model\n" + SOURCE.replace("größe", "size")
    (tmp_path / "model.py").write_text(renamed, encoding="utf-8")
    change(client, uri, renamed, 2)
    report = await check(client, model, uri)
    assert report["timings"]["placement"] < 0.05
    (found,) = (await pull(client, uri)).items
    assert found.range.start.line == 9
