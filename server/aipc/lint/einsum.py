"""Einsum equations: the same one whatever its letters are."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def canonical(equation: str) -> str:
    """The equation with its letters renamed in order of appearance, and its output written out."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
        right = ("..." if "..." in left else "") + right
    names: dict[str, str] = {}
    for letter in left + right:
        if letter.isalpha():
            names.setdefault(letter, chr(ord("a") + len(names)))
    return "".join(names.get(letter, letter) for letter in f"{left}->{right}")


def output_rank(equation: str) -> int | None:
    """Dimensions of the result; None with an ellipsis."""
    right = canonical(equation).partition("->")[2]
    return None if "." in right else len(right)
