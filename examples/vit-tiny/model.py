"""A small vision transformer (ViT-Ti/16, Touvron et al., arXiv:2012.12877) as timm builds it."""

import timm
import torch
from torch import nn


def build() -> nn.Module:
    """``vit_tiny_patch16_224`` with seeded weights: timm would download trained ones."""
    torch.manual_seed(0)
    return timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
