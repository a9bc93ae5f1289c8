"""Example inputs of models of transformers, from what their configuration says of audio, pictures and text."""

from __future__ import annotations

import inspect
from typing import Any

import torch

_TOKENS = 16
_SAMPLES = 16_000
"""One second of speech at the rate of the usual checkpoints."""


def configured_inputs(module: torch.nn.Module, vocabulary: int) -> dict[str, torch.Tensor]:
    """Arguments of ``forward`` by their names; none where the module has no configuration of transformers.

    Args:
        vocabulary: token ids are below it.
    """
    config: Any = getattr(module, "config", None)
    if config is None or not hasattr(config, "model_type"):
        return {}
    names = list(inspect.signature(module.forward).parameters)
    wanted = {str(getattr(module, "main_input_name", ""))} & set(names)
    if hasattr(config, "vision_config") and hasattr(config, "text_config"):
        wanted |= {"input_ids", "pixel_values"} & set(names)
    if getattr(config, "is_encoder_decoder", False):
        wanted |= {"decoder_input_ids"} & set(names)
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "input_values": _audio(config),
        "input_features": (1, _number(config, "num_mel_bins", 80), 2 * _number(config, "max_source_positions", 1500)),
        "pixel_values": _picture(config),
    }
    random_inputs = {
        name: torch.randn(shapes[name], generator=generator) for name in names if name in wanted & set(shapes)
    }
    for name in ("input_ids", "decoder_input_ids"):
        if name in wanted:
            random_inputs[name] = torch.randint(0, max(1, vocabulary), (1, _TOKENS), generator=generator)
    return {name: random_inputs[name] for name in names if name in random_inputs}


def _audio(config: Any) -> tuple[int, ...]:
    """A waveform [1, T], or a spectrogram [1, T, mel bins] where the configuration has bins."""
    bins = _number(config, "num_mel_bins", 0)
    return (1, _number(config, "max_length", 1024), bins) if bins else (1, _SAMPLES)


def _picture(config: Any) -> tuple[int, ...]:
    config = getattr(config, "vision_config", config)
    size = getattr(config, "image_size", None) or 224
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return (1, _number(config, "num_channels", 3), int(height), int(width))


def _number(config: Any, name: str, default: int) -> int:
    value = getattr(config, name, None)
    return value if isinstance(value, int) and value > 0 else default
