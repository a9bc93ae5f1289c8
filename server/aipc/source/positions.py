"""Columns: the compiler counts UTF-8 bytes, everything of ours counts code points."""

from __future__ import annotations


def code_points_before(line: str, offset: int) -> int:
    """A column in UTF-8 bytes as a column in code points.

    Args:
        line: the line without or with its end.
        offset: bytes before the column, as in ``ast`` and in the positions of code objects.
    """
    if line.isascii():
        return min(offset, len(line))
    return len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))
