"""How long the as-you-type tier takes for a file of 1,000 lines: ``python benchmarks/lint.py [--lines N] [--edits N]``.

Prints milliseconds: the first time that a file is seen, the same text again, and p50 and p95 over edits, each a few
characters typed somewhere in the file, every fourth of which leaves it half-typed.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable

from aipc.lint import lint

IMPORTS = """\
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

"""
BLOCK = '''\

class Block{n}(nn.Module):
    """Attention over windows, a depthwise convolution and a gated projection."""

    def __init__(self, width: int = 64, heads: int = 4, ratio: float = 2.0) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        hidden = int(width * ratio)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.local = nn.Sequential(
            nn.Conv2d(width, width, kernel_size=3, padding=1, groups=width),
            nn.BatchNorm2d(width),
            nn.SiLU(),
        )
        self.gate = nn.Linear(width, 2 * hidden)
        self.down = nn.Linear(hidden, width)

    def attend(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).unbind(2)
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * self.scale
        weights = torch.softmax(scores, dim=-1)
        return torch.einsum("bhqk,bkhd->bqhd", weights, v).flatten(2)

    def forward(self, x: Tensor, height: int, width: int) -> Tensor:
        x = x + self.proj(self.attend(self.norm1(x)))
        image = x.transpose(1, 2).unflatten(2, (height, width))
        image = F.pad(image, (1, 1, 1, 1), mode="circular")
        image = self.local(image)[:, :, 1:-1, 1:-1]
        x = x + image.flatten(2).transpose(1, 2)
        gate, value = self.gate(self.norm2(x)).chunk(2, dim=-1)
        hidden = F.gelu(gate) * value
        if self.training:
            hidden = F.dropout(hidden, 0.1)
        return x + self.down(hidden)

'''


def source(lines: int) -> str:
    """A file of modules, of about this many lines."""
    blocks = max(1, lines // BLOCK.count("\n"))
    return IMPORTS + "".join(BLOCK.replace("{n}", str(n)) for n in range(blocks))


def edited(text: str, number: int, chosen: random.Random) -> str:
    """The text with a few characters typed in the body of some method."""
    lines = text.split("\n")
    places = [index for index, line in enumerate(lines) if line.startswith("        ") and "=" in line]
    place = chosen.choice(places)
    typed = f"f(x, {number}" if number % 4 == 0 else f"a{number} = {number}"
    lines.insert(place, f"        {typed}")
    return "\n".join(lines)


def milliseconds(text: str, soc: str, clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    lint(text, "model.py", soc)
    return 1000 * (clock() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--soc", default="sm8650")
    parser.add_argument("--limit", type=float, default=0, help="exit with 1 where p95 is above this many milliseconds")
    arguments = parser.parse_args()
    chosen = random.Random(0)
    text = source(arguments.lines)
    loading = milliseconds("import torch", arguments.soc)
    first = milliseconds(text, arguments.soc)
    again = min(milliseconds(text, arguments.soc) for _ in range(5))
    gc.collect()
    texts = [edited(text, number, chosen) for number in range(2 * arguments.edits)]
    times = [milliseconds(item, arguments.soc) for item in texts[::2]]
    cuts = statistics.quantiles(times, n=20)
    busy = statistics.quantiles([milliseconds(item, arguments.soc, time.process_time) for item in texts[1::2]], n=20)
    gc.collect()
    count = len(lint(text, "model.py", arguments.soc))
    print(f"{text.count(chr(10))} lines, {count} findings")
    print(f"reading the matrix {loading:.1f} ms, first time {first:.1f} ms, the same text again {again:.2f} ms")
    print(f"{len(times)} edits: p50 {cuts[9]:.2f} ms, p95 {cuts[18]:.2f} ms, max {max(times):.2f} ms")
    print(f"of that on the processor: p50 {busy[9]:.2f} ms, p95 {busy[18]:.2f} ms")
    return 1 if arguments.limit and cuts[18] > arguments.limit else 0


if __name__ == "__main__":
    sys.exit(main())
