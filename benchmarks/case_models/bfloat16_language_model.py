"""A language model of transformers in bfloat16, as from_pretrained gives most of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

RUNS = (("fp16", "sm8650"),)


def build() -> nn.Module:
    torch.manual_seed(22)
    config = LlamaConfig(
        vocab_size=600,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = LlamaForCausalLM(config).eval().to(torch.bfloat16)
    model.config.use_cache = False
    return model


def _ids(seed: int) -> Tensor:
    return torch.randint(0, 600, (1, 16), generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_ids(0),)


def others() -> list[tuple[Tensor]]:
    return [(_ids(1),)]
