"""Keeps the embeddings of odd tokens, by an operator on bits, which the NPU has not."""

import torch
from torch import nn


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(32, 8)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        # One for odd tokens, nought for even ones.
        odd = tokens & 1
        return self.embedding(tokens) * odd.unsqueeze(-1).float()
