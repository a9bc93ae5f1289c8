"""A small model that cannot be captured, and the edit that cures it."""

from __future__ import annotations

FILE = "model.py"
BRANCH = "        if x.sum() > 0:\n            return 2 * x\n        return x\n"
GOOD = "        return torch.where(x.sum() > 0, 2 * x, x)\n"
MODEL = f"""\
import torch
from torch import nn


class Model(nn.Module):
    def forward(self, x):
{BRANCH}
    @staticmethod
    def example_inputs():
        return (torch.rand(1, 2, 4, 4),)
"""
BRANCH_LINE = MODEL.splitlines().index(BRANCH.splitlines()[0]) + 1
