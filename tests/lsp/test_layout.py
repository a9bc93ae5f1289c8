"""What was checked stays: through a change of comments, which asks nothing again, and into the next session."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, client_capabilities

from .conftest import SERVER, change, check, pull, save
from .test_diagnostics import text_at
from .test_fixes import SOURCE, actions

pytestmark = pytest.mark.asyncio

PAD = 'F.pad(größe, (1, 2), mode="circular")'
BASE = "from torch import nn\n\n\nclass Base(nn.Module):\n    width = 1\n"
RING = SOURCE.replace("Ring(nn.Module)", "Ring(Base)").replace("import nn\n", "import nn\n\nfrom base import Base\n")
COMMENTED = f"# 😀\n{RING}".replace("  # all round", "  # round and\n        # round")


def watch_checks(client) -> list[str]:
    """The models that the server says it is checking, from now on."""
    models: list[str] = []

    @client.feature("aipc/checking")
    def note(parameters):
        models.extend(parameters.models)

    return models


async def saved(client, uri: str, path: Path, text: str, version: int, models: list[str]) -> bool:
    """Whether saving a text starts a check."""
    change(client, uri, text, version)
    path.write_text(text, "utf-8")
    models.clear()
    save(client, uri)
    await asyncio.sleep(1)
    return bool(models)


async def assert_proved(client, uri: str, text: str) -> None:
    padding = next(item for item in (await pull(client, uri)).items if item.code == "pad-mode")
    assert text_at(text, padding.range) == PAD
    assert any("(proved:" in action.title for action in await actions(client, uri, [padding]))


async def test_comments_cost_nothing_and_the_next_session_begins_with_the_result(client, opened, tmp_path):
    path = tmp_path / "model.py"
    (tmp_path / "base.py").write_text(BASE, "utf-8")
    models = watch_checks(client)
    uri = opened(RING)
    await check(client, f"{path}:Ring", uri)
    assert not await saved(client, uri, path, COMMENTED, 2, models)
    await assert_proved(client, uri, COMMENTED)
    await _the_next_session(tmp_path, path, uri)
    # A file that the model imports counts as well.
    (tmp_path / "base.py").write_text(BASE.replace("1", "2"), "utf-8")
    assert await saved(client, uri, path, f"{COMMENTED}# end\n", 3, models)
    assert await saved(client, uri, path, COMMENTED.replace("1.5", "1.25"), 4, models)


async def _the_next_session(root: Path, path: Path, uri: str) -> None:
    second = await ClientServerConfig(**SERVER).start()
    models = watch_checks(second)
    await second.initialize_session(
        lsp.InitializeParams(
            capabilities=client_capabilities("visual-studio-code"),
            workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), "project")],
            initialization_options={"settings": {"soc": "sm8650", "lint": {"enabled": False}}, "trusted": True},
        )
    )
    second.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "python", 1, COMMENTED)))
    for _ in range(50):
        if (await pull(second, uri)).items:
            break
        await asyncio.sleep(0.1)
    found = (await pull(second, uri)).items
    assert text_at(COMMENTED, next(item for item in found if item.code == "pad-mode").range) == PAD
    assert models == []
    await second.shutdown_session()
