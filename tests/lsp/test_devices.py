"""Devices in the editor: what one is, a package verified again, and times only where a device measured them."""

from __future__ import annotations

import pytest

from aipc.core.types import NodePlacement, Placement, Position, Range
from aipc.lsp.check_state import Place
from aipc.lsp.features.inlay_hints import label
from aipc.lsp.node_times import NodeTime, node_shares

from .conftest import run

PROFILE = {
    "unit": "us",
    "measured_on": "device",
    "nodes": {"conv.Conv_0_token_1": 75.0, "Relu_0": 20.0, "Transpose": 5.0},
}


def place(time: NodeTime | None) -> Place:
    where = Range("model.py", Position(1, 0), Position(1, 4))
    return Place(where, NodePlacement("Relu_0", "Relu", Placement.NPU), None, time)


def test_a_devices_times_go_to_the_nodes_that_they_belong_to():
    times = node_shares({"profile": PROFILE}, ["conv.Conv_0", "Relu_0"])
    assert times == {"conv.Conv_0": NodeTime(0.75, 75.0), "Relu_0": NodeTime(0.2, 20.0)}
    assert label([place(times["Relu_0"])]) == "NPU · 20 µs (20 %)"


def test_cycles_that_have_no_time_are_shown_as_a_share():
    times = node_shares({"profile": {**PROFILE, "unit": "cycles"}}, ["conv.Conv_0", "Relu_0"])
    assert label([place(times["Relu_0"])]) == "NPU · 20 % of the time"


@pytest.mark.parametrize("device", [None, {}, {"profile": None}, {"profile": {**PROFILE, "measured_on": "host"}}])
def test_what_a_simulator_measured_is_shown_nowhere(device):
    assert node_shares(device, ["Relu_0"]) == {}
    assert label([place(None)]) == "NPU"


@pytest.mark.asyncio
async def test_the_editor_is_told_what_a_target_is_and_why_one_cannot_be_reached(client, opened):
    uri = opened()
    found = await run(client, "aipc.server.examine", {"target": "simulator", "uri": uri})
    assert found["ok"] and dict(found["rows"])["NPU"].startswith("simulated")
    lost = await run(client, "aipc.server.examine", {"target": "ssh:127.0.0.1:1", "uri": uri})
    assert not lost["ok"] and "discover" in lost["description"]["reason"]
    unknown = await run(client, "aipc.server.examine", {"target": "toaster", "uri": uri})
    assert "is not a target" in unknown["error"]["message"]


@pytest.mark.asyncio
async def test_the_targets_of_the_projects_configuration_are_listed(client, opened, tmp_path):
    opened()
    with (tmp_path / "pyproject.toml").open("a") as stream:
        stream.write('\n[tool.aipc.targets."ssh:board"]\nsoc = "qcs6490"\n')
    found = await run(client, "aipc.server.targets")
    assert {"simulator", "local", "ssh:board"} <= {target["name"] for target in found["targets"]}
