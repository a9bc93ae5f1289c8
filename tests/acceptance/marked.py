"""Models whose source marks the expression that a finding must be on: ``«expression»``."""

from __future__ import annotations

from pathlib import Path

HEADER = """\
import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
"""


def write(directory: Path, body: str, inputs: str) -> tuple[Path, str, int]:
    """Write a model file for a class body; return the file, the marked text and its first line.

    ``inputs`` is the Python expression of its example inputs.
    """
    source = HEADER + "".join(f"    {line}\n" if line else "\n" for line in body.strip("\n").splitlines())
    source += f"\n    @staticmethod\n    def example_inputs():\n        return {inputs}\n"
    before, _, rest = source.partition("«")
    expression, _, after = rest.partition("»")
    assert expression, "the model marks no expression"
    file = directory / "model.py"
    file.write_text(before + expression + after, encoding="utf-8")
    return file, expression, before.count("\n") + 1
