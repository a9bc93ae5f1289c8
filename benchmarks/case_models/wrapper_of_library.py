"""A library's wrapper whose forward takes any arguments: the network is its attribute, the inputs are inferred."""

from __future__ import annotations

import torch
from torch import Tensor
from ultralytics import YOLOWorld

RUNS = (("fp16", "sm8650"),)


def build() -> object:
    torch.manual_seed(24)
    return YOLOWorld("yolov8s-worldv2.yaml")


def others() -> list[tuple[Tensor]]:
    return []
