"""An encoder's output: last_hidden_state is the last of hidden_states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(19)
        self.layers = nn.ModuleList(nn.Linear(10, 10) for _ in range(2))

    def forward(self, inputs_embeds: Tensor) -> dict[str, object]:
        states = [inputs_embeds]
        for layer in self.layers:
            states.append(torch.tanh(layer(states[-1])))
        return {"last_hidden_state": states[-1], "hidden_states": tuple(states)}


def _embeds(seed: int) -> Tensor:
    return torch.randn(1, 6, 10, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_embeds(0),)


def others() -> list[tuple[Tensor]]:
    return [(_embeds(1),)]
