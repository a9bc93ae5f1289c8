"""A classifier of transformers with what its tokenizer gives: a mapping that is no dict."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import BatchEncoding, BertConfig, BertForSequenceClassification

RUNS = (("fp16", "sm8650"),)


def build() -> nn.Module:
    torch.manual_seed(23)
    config = BertConfig(num_hidden_layers=2, hidden_size=128, intermediate_size=256, num_attention_heads=4)
    return BertForSequenceClassification(config).eval()


def _batch(seed: int, words: int) -> BatchEncoding:
    ids = torch.randint(0, 30000, (1, 24), generator=torch.Generator().manual_seed(seed))
    return BatchEncoding({"input_ids": ids, "attention_mask": (torch.arange(24) < words).long()[None]})


def example() -> BatchEncoding:
    return _batch(0, 24)


def others() -> list[dict[str, Tensor]]:
    return [dict(_batch(1, 24)), dict(_batch(2, 6))]
