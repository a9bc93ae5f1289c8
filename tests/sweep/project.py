"""A project of small models, for tests of sweeps."""

from pathlib import Path

_MODELS = """
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        torch.manual_seed(width)
        self.layer = nn.Conv2d(3, width, 3)

    def forward(self, x):
        return torch.relu(self.layer(x))


class Branch(Layer):
    def forward(self, x):
        return x if x.sum() > 0 else self.layer(x)


"""


def write_project(directory: Path, names: tuple[str, ...], sweep: str = "", wrong: tuple[str, ...] = ()) -> None:
    """Models that deploy, and those of ``wrong``, whose control flow depends on values."""
    factories = [f"def {name}():\n    return Layer({8 + index})\n\n\n" for index, name in enumerate(names)]
    factories += [f"def {name}():\n    return Branch()\n\n\n" for name in wrong]
    (directory / "model.py").write_text(_MODELS + "".join(factories), "utf-8")
    parts = [f"[tool.aipc.sweep]\n{sweep}\n"]
    for name in (*names, *wrong):
        parts.append(f'[tool.aipc.models.{name}]\nentry = "model.py:{name}"\ninputs = ["float32[1,3,16,16]"]\n')
    (directory / "pyproject.toml").write_text("\n".join(parts), "utf-8")
