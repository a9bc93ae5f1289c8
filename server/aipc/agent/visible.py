"""Text of a language model as it may be shown: characters that steer a terminal or reorder a line are spelled out."""

from __future__ import annotations

import unicodedata

_LAYOUT = "\n\t"
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Control and format characters (escape sequences, bidirectional marks, zero-width), and separators of lines."""


def visible(text: str) -> str:
    """The text with each character that is not seen written as ``\\x1b`` or ``\\u202e``; line ends and tabs stay."""
    return "".join(
        _spelled(character) if is_hidden(character) else character for character in text.replace("\r\n", "\n")
    )


def is_hidden(character: str) -> bool:
    return character not in _LAYOUT and unicodedata.category(character) in _HIDDEN


def _spelled(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
