"""The graph panel's data: an outline without weights, colours, and the way between nodes and expressions."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from lsprotocol import types as lsp

from .conftest import pull, run

pytestmark = pytest.mark.asyncio


async def test_a_node_leads_to_its_expression_and_a_line_to_its_nodes(client, opened, tmp_path):
    uri = opened()
    model = {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri}
    graph = await run(client, "aipc.server.graph", model)
    nodes = {node.op_type: node.name for node in onnx.load(graph["path"]).graph.node}
    overlay = graph["overlay"]
    assert overlay["nodes"][nodes["Pad"]] == {"placement": "cpu", "reason": "Pad mode only support constant."}
    assert overlay["nodes"][nodes["Relu"]]["placement"] == "npu"
    assert overlay["findings"][0]["nodes"] == [nodes["Pad"]]
    assert not overlay["stale"]
    place = await run(client, "aipc.server.expressionOf", {**model, "node": nodes["Pad"]})
    assert (place["start"]["line"], place["start"]["column"]) == (9, 20)
    assert await run(client, "aipc.server.nodesAt", {**model, "first": 8, "last": 8}) == [nodes["Pad"]]


async def test_a_model_that_cannot_be_captured_says_why(client, opened, tmp_path):
    source = "from torch import nn\n\nclass Broken(nn.Module):\n    def forward(self, x):\n        return x.nothing\n"
    uri = opened(source)
    answer = await run(client, "aipc.server.graph", {"model": f"{tmp_path / 'model.py'}:Broken", "uri": uri})
    assert answer["error"]["message"]


async def test_an_outline_has_no_weights(client, opened, tmp_path):
    source = """\
import torch
from torch import nn


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(512, 512)

    def forward(self, x):
        return self.layer(x)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 512),)
"""
    uri = opened(source)
    graph = await run(client, "aipc.server.graph", {"model": f"{tmp_path / 'model.py'}:Wide", "uri": uri})
    assert Path(graph["path"]).stat().st_size < 20_000
    shapes = [tuple(tensor.dims) for tensor in onnx.load(graph["path"]).graph.initializer]
    assert (512, 512) in shapes


async def test_a_finding_offers_to_show_its_node(client, opened, tmp_path):
    uri = opened()
    await run(client, "aipc.server.check", {"model": f"{tmp_path / 'model.py'}:Tracker", "uri": uri})
    (finding,) = (await pull(client, uri)).items
    parameters = lsp.CodeActionParams(
        lsp.TextDocumentIdentifier(uri), finding.range, lsp.CodeActionContext(diagnostics=[finding])
    )
    offered = await client.text_document_code_action_async(parameters)
    (action,) = (item for item in offered if item.title == "Show in the graph")
    assert action.title == "Show in the graph"
    assert finding.data["nodes"][0] in str(action.command)
