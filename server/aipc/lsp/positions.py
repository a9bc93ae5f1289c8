"""Between our positions (1-based lines, columns in code points) and the protocol's (0-based, in the client's units)."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from aipc.core.types import Position, Range


def to_lsp_position(position: Position, lines: Sequence[str], codec: PositionCodec) -> lsp.Position:
    """``codec`` is the workspace's: UTF-8, UTF-16 or UTF-32, as server and client have agreed."""
    line = position.line - 1
    if not 0 <= line < len(lines):
        return lsp.Position(max(0, line), 0)
    return codec.position_to_client_units(lines, lsp.Position(line, position.column))


def to_lsp_range(place: Range, lines: Sequence[str], codec: PositionCodec) -> lsp.Range:
    return lsp.Range(to_lsp_position(place.start, lines, codec), to_lsp_position(place.end, lines, codec))


def from_lsp_position(position: lsp.Position, lines: Sequence[str], codec: PositionCodec) -> Position | None:
    """None where the text has no such line; a column behind the end of its line is the end."""
    if position.line >= len(lines):
        return None
    line = lines[position.line]
    if position.character >= codec.client_num_units(line):
        return Position(position.line + 1, len(line))
    there = codec.position_from_client_units(lines, lsp.Position(position.line, position.character))
    return Position(there.line + 1, there.character)
