"""A finding appears in the file that holds the expression, open or not, and is cleared everywhere when it is gone."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from .conftest import check

pytestmark = pytest.mark.asyncio

HELPER = "import torch.nn.functional as F\n\n\ndef ring(x):\n    return F.pad(x, (1, 1, 1, 1), mode='{mode}')\n"
MODEL = """\
import torch
from helper import ring
from torch import nn


class Tracker(nn.Module):
    def forward(self, x):
        return ring(torch.relu(x))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8),)
"""


async def workspace(client, previous=()):
    answer = await client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(list(previous)))
    return {item.uri: item for item in answer.items}


async def test_a_finding_in_a_helper_is_shown_there_and_cleared_there(client, opened, tmp_path):
    helper = tmp_path / "helper.py"
    helper.write_text(HELPER.format(mode="circular"))
    uri = opened(MODEL)
    await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    found = await workspace(client)
    (item,) = found[helper.as_uri()].items
    assert (item.code, item.range.start.line) == ("pad-mode", 4)
    assert any(related.location.uri == uri for related in item.related_information)

    known = [lsp.PreviousResultId(helper.as_uri(), found[helper.as_uri()].result_id)]
    assert (await workspace(client, known))[helper.as_uri()].kind == "unchanged"

    helper.write_text(HELPER.format(mode="constant"))
    await check(client, f"{tmp_path / 'model.py'}:Tracker", uri)
    assert not (await workspace(client, known))[helper.as_uri()].items


async def test_the_client_says_which_files_are_visible(client, opened):
    """A notification that is answered with an error would be shown to the user."""
    uri = opened(MODEL)
    client.protocol.notify("aipc/visible", {"uris": [uri]})
    client.protocol.notify("aipc/trustGranted", {})
    await workspace(client)
    assert not [item for item in client.messages if item.type == lsp.MessageType.Error]
