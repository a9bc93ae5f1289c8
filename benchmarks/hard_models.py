"""Small models that are right on their example and easily wrong on other inputs, each with such inputs.

What they stand for: batches with padding, caches written at a position, positions far from the example's, pictures of
bytes, values that are not finite, equal scores, sums whose order matters, random numbers, and state.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Inputs = tuple[Tensor, ...]


def _random(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _closed(shape: tuple[int, ...], row: int, first: int = 0) -> Tensor:
    """A mask that is True but for the row ``row``, which is False from ``first`` on."""
    mask = torch.ones(shape, dtype=torch.bool)
    mask[row, ..., first:] = False
    return mask


class Seeded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.build()

    def build(self) -> None:
        pass


class MaskedAttention(Seeded):
    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def example_inputs(self) -> Inputs:
        return *(_random(2, 2, 6, 16, seed=seed) for seed in range(3)), torch.ones(2, 1, 6, 6, dtype=torch.bool)

    def others(self) -> list[Inputs]:
        q, k, v, mask = self.example_inputs()
        return [(q, k, v, _closed(tuple(mask.shape), 1)), (q, k, v, _closed(tuple(mask.shape), 0, 3))]


class PaddedEncoder(Seeded):
    def build(self) -> None:
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        return self.encoder(x, src_key_padding_mask=padding)

    def example_inputs(self) -> Inputs:
        return _random(2, 10, 32), torch.zeros(2, 10, dtype=torch.bool)

    def others(self) -> list[Inputs]:
        return [(_random(2, 10, 32, seed=1), ~_closed((2, 10), 1, 4))]


class AddedMask(Seeded):
    low = torch.finfo(torch.float32).min

    def build(self) -> None:
        self.table, self.out = nn.Embedding(200, 32), nn.Linear(32, 8)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        x = self.table(input_ids)
        scores = x @ x.transpose(1, 2) / 8 + (1.0 - attention_mask[:, None].float()) * self.low
        return self.out(scores.softmax(-1) @ x)

    def example_inputs(self) -> Inputs:
        ids = torch.randint(0, 200, (2, 12), generator=torch.Generator().manual_seed(0))
        return ids, torch.ones(2, 12, dtype=torch.int64)

    def others(self) -> list[Inputs]:
        ids, _ = self.example_inputs()
        return [(ids.flip(0), _closed((2, 12), 1, 5).long()), (ids * 0 + 199, _closed((2, 12), 0, 1).long())]


class SmallAddedMask(AddedMask):
    low = -1e4


class LeftPadded(Seeded):
    def build(self) -> None:
        self.qkv = nn.Linear(16, 48)

    def forward(self, x: Tensor, attention_mask: Tensor) -> Tensor:
        q, k, v = (part.reshape(2, 8, 2, 8).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        causal = torch.ones(8, 8, dtype=torch.bool).tril()
        mask = causal[None, None] & attention_mask.bool()[:, None, None]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def example_inputs(self) -> Inputs:
        return _random(2, 8, 16), torch.ones(2, 8, dtype=torch.int64)

    def others(self) -> list[Inputs]:
        mask = torch.ones(2, 8, dtype=torch.int64)
        mask[1, :5] = 0
        return [(_random(2, 8, 16, seed=1), mask)]


class Cache(Seeded):
    def build(self) -> None:
        self.key, self.value, self.query = (nn.Linear(16, 16) for _ in range(3))

    def forward(self, x: Tensor, position: Tensor, keys: Tensor, values: Tensor) -> Inputs:
        keys = keys.index_copy(1, position, self.key(x))
        values = values.index_copy(1, position, self.value(x))
        mask = torch.arange(32) <= position
        y = F.scaled_dot_product_attention(self.query(x), keys, values, attn_mask=mask[None, None])
        return y, keys, values

    def example_inputs(self) -> Inputs:
        return _random(1, 1, 16), torch.tensor([0]), _random(1, 32, 16, seed=1), _random(1, 32, 16, seed=2)

    def others(self) -> list[Inputs]:
        x, _, keys, values = self.example_inputs()
        return [(x, torch.tensor([31]), keys, values), (x * 2, torch.tensor([9]), keys, values)]


class Lengths(Seeded):
    def build(self) -> None:
        self.layer = nn.Linear(12, 12)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        steps = torch.arange(20)[None]
        valid = steps < lengths[:, None]
        turned = torch.where(valid, lengths[:, None] - 1 - steps, steps)
        backwards = x.gather(1, turned[..., None].expand(2, 20, 12))
        return (self.layer(x) + self.layer(backwards)).masked_fill(~valid[..., None], 0.0)

    def example_inputs(self) -> Inputs:
        return _random(2, 20, 12), torch.tensor([20, 20])

    def others(self) -> list[Inputs]:
        return [(_random(2, 20, 12, seed=1), torch.tensor([1, 13]))]


class Buckets(Seeded):
    def build(self) -> None:
        self.bias = nn.Embedding(32, 4)

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        distance = keys[None] - queries[:, None]
        bucket = (distance > 0).long() * 16
        far = 8 + (torch.log(distance.abs().float().clamp(min=1) / 8) / math.log(16) * 8).long()
        near = distance.abs()
        return self.bias(bucket + torch.where(near < 8, near, far.clamp(max=15)))

    def example_inputs(self) -> Inputs:
        return torch.arange(8), torch.arange(24)

    def others(self) -> list[Inputs]:
        return [(torch.arange(8) + 3000, torch.arange(24) + 2990)]


class Blocks(Seeded):
    def forward(self, places: Tensor) -> Inputs:
        return torch.div(places, 7, rounding_mode="floor"), places % 5

    def example_inputs(self) -> Inputs:
        return (torch.arange(24),)

    def others(self) -> list[Inputs]:
        return [(torch.arange(24) - 12,), (torch.arange(24) * 1000,)]


class Rotary(Seeded):
    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        angles = position[:, None].float() * 10000 ** (-torch.arange(0, 16, 2) / 16)
        a, b = x.chunk(2, -1)
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)

    def example_inputs(self) -> Inputs:
        return _random(1, 8, 16), torch.arange(8)

    def others(self) -> list[Inputs]:
        return [(_random(1, 8, 16, seed=1), torch.arange(8) + 500)]


class Recurrent(Seeded):
    def build(self) -> None:
        self.cell = nn.GRU(12, 16, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor, h: Tensor) -> Inputs:
        y, last = self.cell(x, h)
        return y, last

    def example_inputs(self) -> Inputs:
        return _random(1, 8, 12), _random(2, 1, 16, seed=1)

    def others(self) -> list[Inputs]:
        return [(_random(1, 8, 12, seed=2, scale=2.0), torch.zeros(2, 1, 16))]


class Memory(Recurrent):
    def build(self) -> None:
        self.cell = nn.LSTM(12, 16, batch_first=True)

    def forward(self, x: Tensor, h: Tensor) -> Inputs:
        y, (last, _) = self.cell(x, (h[:1], h[1:]))
        return y, last


class Camera(Seeded):
    def build(self) -> None:
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, image: Tensor) -> Tensor:
        x = image.permute(0, 3, 1, 2).float() / 255
        return torch.relu(self.conv((x - 0.45) / 0.22)).mean((2, 3))

    def example_inputs(self) -> Inputs:
        generator = torch.Generator().manual_seed(0)
        return (torch.randint(0, 256, (1, 32, 32, 3), dtype=torch.uint8, generator=generator),)

    def others(self) -> list[Inputs]:
        return [(torch.full((1, 32, 32, 3), value, dtype=torch.uint8),) for value in (0, 255)]


class Enlarged(Seeded):
    def forward(self, image: Tensor) -> Inputs:
        larger = F.interpolate(image, scale_factor=1.5, mode="nearest-exact")
        return larger, F.interpolate(image, size=(40, 24), mode="nearest")

    def example_inputs(self) -> Inputs:
        return (torch.full((1, 3, 16, 16), 0.5),)

    def others(self) -> list[Inputs]:
        return [(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)),)]


class Rows(Seeded):
    def forward(self, table: Tensor, rows: Tensor) -> Tensor:
        return table[rows] * 2

    def example_inputs(self) -> Inputs:
        return _random(1, 4, 6).expand(8, 4, 6).clone(), torch.tensor([0, 5, 2, 1, 3, 0])

    def others(self) -> list[Inputs]:
        return [(_random(8, 4, 6, seed=1), torch.tensor([7, 6, 5, 4, 3, 2]))]


class Cleaned(Seeded):
    def forward(self, x: Tensor) -> Tensor:
        return torch.nan_to_num(x, nan=1.0, posinf=8.0, neginf=-8.0)

    def example_inputs(self) -> Inputs:
        return (_random(2, 20),)

    def others(self) -> list[Inputs]:
        x = _random(2, 20, seed=1)
        x[0, 3], x[1, 4], x[1, 5] = math.inf, -math.inf, math.nan
        return [(x,)]


class Finite(Seeded):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(torch.isfinite(x), x, 0.0)

    def example_inputs(self) -> Inputs:
        return (_random(2, 20),)

    def others(self) -> list[Inputs]:
        return Cleaned().others()


class Picked(Seeded):
    def forward(self, logits: Tensor, boxes: Tensor) -> Inputs:
        values, places = torch.topk(logits.sigmoid().flatten(1), 10)
        owner = torch.div(places, 8, rounding_mode="floor")
        return boxes.gather(1, owner[..., None].expand(-1, -1, 4)), values

    def example_inputs(self) -> Inputs:
        return _random(1, 40, 8), torch.rand(1, 40, 4, generator=torch.Generator().manual_seed(1))

    def others(self) -> list[Inputs]:
        return [(_random(1, 40, 8, seed=3), torch.rand(1, 40, 4, generator=torch.Generator().manual_seed(4)))]


class Phase(Seeded):
    def forward(self, f0: Tensor) -> Tensor:
        return torch.sin(2 * math.pi * torch.cumsum(f0.repeat_interleave(5, -1) / 2400.0, -1))

    def example_inputs(self) -> Inputs:
        return (80 + 240 * torch.rand(1, 60, generator=torch.Generator().manual_seed(0)),)

    def others(self) -> list[Inputs]:
        return [(80 + 240 * torch.rand(1, 60, generator=torch.Generator().manual_seed(1)),)]


class Double(Seeded):
    def build(self) -> None:
        self.layer = nn.Linear(8, 8)
        self.register_buffer("anchors", torch.linspace(0.1, 2.0, 8, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).double().exp() * self.anchors

    def example_inputs(self) -> Inputs:
        return (_random(2, 8),)

    def others(self) -> list[Inputs]:
        return [(_random(2, 8, seed=1),)]


class Streaming(Seeded):
    def build(self) -> None:
        self.conv = nn.Conv1d(4, 4, 3)
        self.register_buffer("past", torch.zeros(1, 4, 2))

    def forward(self, x: Tensor) -> Tensor:
        z = torch.cat([self.past, x], -1)
        self.past.copy_(z[..., -2:])
        return self.conv(z)

    def example_inputs(self) -> Inputs:
        return (_random(1, 4, 12),)

    def others(self) -> list[Inputs]:
        return [(_random(1, 4, 12, seed=1),)]


class Noisy(Seeded):
    def build(self) -> None:
        self.layer = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x + 0.5 * torch.randn_like(x))

    def example_inputs(self) -> Inputs:
        return (_random(2, 8),)

    def others(self) -> list[Inputs]:
        return [(_random(2, 8, seed=1),)]


class Hidden(Seeded):
    def build(self) -> None:
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> dict[str, object]:
        states = [x, torch.relu(self.first(x))]
        states.append(self.second(states[1]))
        return {"last_hidden_state": states[2], "hidden_states": tuple(states)}

    def example_inputs(self) -> Inputs:
        return (_random(1, 5, 8),)

    def others(self) -> list[Inputs]:
        return [(_random(1, 5, 8, seed=1),)]


class Normalized(Seeded):
    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1) + F.layer_norm(x, (16,))

    def example_inputs(self) -> Inputs:
        return (_random(4, 16),)

    def others(self) -> list[Inputs]:
        return [(_random(4, 16, seed=1, scale=0.01),)]
