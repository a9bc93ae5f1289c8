"""A small vision transformer (ViT-Ti/16, Touvron et al., arXiv:2012.12877) as timm builds it."""

import numpy as np
import timm
import torch
from PIL import Image
from torch import nn


def build() -> nn.Module:
    """``vit_tiny_patch16_224`` with seeded weights: timm would download trained ones."""
    torch.manual_seed(0)
    return timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()


def prepared(image: Image.Image) -> np.ndarray:
    """The middle square of a picture as float32[1, 3, 224, 224] in [-1, 1]."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.resize((224, 224), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return (np.asarray(square, dtype=np.float32) / 127.5 - 1.0).transpose(2, 0, 1)[None]
