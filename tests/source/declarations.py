"""The usual ways to declare a model: the files of a project, and the models of its ``net.py`` that need nothing."""

from __future__ import annotations

BASE = """\
import torch
from torch import nn


class Base(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.layer = nn.Conv2d(3, width, 1)

    def example_inputs(self):
        return (torch.rand(1, 3, 8, 8),)
"""

FORWARD = "    def forward(self, x):\n        return x\n"

DECLARATIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "a class": ({"net.py": f"import torch.nn as nn\nclass Net(nn.Module):\n{FORWARD}"}, ["Net"]),
    "another alias of torch.nn": (
        {
            "net.py": "import torch\nimport torch.nn as layers\nfrom torch.nn import Module as M\nnn = torch.nn\n"
            f"class A(layers.Module):\n{FORWARD}class B(M):\n{FORWARD}class C(nn.Module):\n{FORWARD}"
        },
        ["A", "B", "C"],
    ),
    "a subclass of Sequential": (
        {
            "net.py": "from torch import nn\nclass Net(nn.Sequential):\n    def __init__(self):\n"
            "        super().__init__(nn.Conv2d(3, 4, 1), nn.ReLU())\n"
            "class Layers(nn.ModuleList):\n    pass\n"
        },
        ["Net"],
    ),
    "an instance": ({"net.py": "from torch import nn\nnet = nn.Sequential(nn.ReLU()).eval()\nwidth = 3\n"}, ["net"]),
    "a factory": (
        {
            "net.py": "from torch import nn\nclass Net(nn.Module):\n    def __init__(self, width):\n"
            f"        super().__init__()\n{FORWARD}"
            "def small():\n    net = Net(4)\n    net.eval()\n    return net\n"
            "def sized(width):\n    return Net(width)\ndef area(width=3):\n    return width * width\n"
        },
        ["small"],
    ),
    "an annotated factory": (
        {
            "net.py": "import torch\nfrom torch import nn\n"
            'def net(width: int = 3) -> "nn.Module":\n    layers = [nn.ReLU()]\n    return build(layers)\n'
            "def build(layers):\n    return nn.Sequential(*layers)\n"
        },
        ["net"],
    ),
    "a base in another file": (
        {"base.py": BASE, "net.py": f"from base import Base\nclass Net(Base):\n{FORWARD}"},
        ["Net"],
    ),
    "a base in the package": (
        {
            "__init__.py": "",
            "base.py": BASE,
            "net.py": f"from .base import Base\nclass Net(Base):\n{FORWARD}class Abstract(Base):\n    pass\n",
        },
        ["Net"],
    ),
    "a LightningModule": (
        {
            "net.py": "import lightning as L\nimport pytorch_lightning as pl\n"
            "from lightning.pytorch import LightningModule\n"
            f"class A(L.LightningModule):\n{FORWARD}class B(pl.LightningModule):\n{FORWARD}"
            f"class C(LightningModule):\n{FORWARD}"
        },
        ["A", "B", "C"],
    ),
    "a PreTrainedModel": (
        {
            "net.py": "from torch import nn\nfrom transformers import PretrainedConfig, PreTrainedModel\n"
            "class Config(PretrainedConfig):\n    model_type = 'tiny'\n    width = 3\n"
            "class Net(PreTrainedModel):\n    config_class = Config\n    def __init__(self, config):\n"
            "        super().__init__(config)\n        self.layer = nn.Conv2d(config.width, 4, 1)\n"
            "        self.post_init()\n    def forward(self, x):\n        return self.layer(x)\n"
        },
        ["Net"],
    ),
    "a subclass of a library's model": (
        {
            "net.py": "from torchvision.models import ResNet\nfrom torchvision.models.resnet import BasicBlock\n"
            "class Net(ResNet):\n    def __init__(self):\n        super().__init__(BasicBlock, [1, 1, 1, 1])\n"
            "class Open(ResNet):\n    pass\n"
        },
        ["Net"],
    ),
    "factories of libraries": (
        {
            "net.py": "import timm\nimport torchvision.models as models\nfrom torchvision.models import resnet18\n"
            "from transformers import AutoModel\n"
            "def a():\n    return timm.create_model('resnet10t', pretrained=False)\n"
            "def b():\n    model = resnet18(weights=None)\n    model.fc = None\n    return model.eval()\n"
            "c = models.squeezenet1_1()\n"
            "def d():\n    return AutoModel.from_pretrained('name')\n"
            "def e():\n    return timm.data.resolve_data_config({})\n"
        },
        ["a", "b", "c", "d"],
    ),
    "a class under if": (
        {
            "net.py": "import sys\ntry:\n    from torch import nn\nexcept ImportError:\n    raise\n"
            "if sys.version_info > (3, 9):\n    class Net(nn.Module):\n        def forward(self, x): return x\n"
            "else:\n    Net = None\n"
            "if __name__ == '__main__':\n    net = nn.ReLU()\n"
        },
        ["Net"],
    ),
    "a dataclass of settings": (
        {
            "net.py": "from dataclasses import dataclass\nfrom torch import nn\n"
            "@dataclass\nclass Settings:\n    width: int = 3\n"
            "@dataclass\nclass Open:\n    width: int\n"
            "class Block(nn.Module):\n    def __init__(self, settings: Open):\n        super().__init__()\n"
            f"{FORWARD}"
            "class Net(nn.Module):\n    def __init__(self, settings: Settings):\n        super().__init__()\n"
            "        self.block = make(Block)\n"
            f"{FORWARD}"
            "def make(kind):\n    return kind(Open(3))\n"
        },
        ["Net"],
    ),
}
