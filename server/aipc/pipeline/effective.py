"""What a model is checked and deployed for (chip, precision, target), and who says so, for all front doors alike."""

from __future__ import annotations

from dataclasses import dataclass

from aipc.core.config import DEFAULT_SOC, PRECISIONS, Config, ModelConfig
from aipc.core.errors import InputError
from aipc.qairt.soc import get_soc

INTEGERS = "w8a16"
"""What an NPU without fp16 computes in when nothing else is asked for: the nearest to fp32 that every SoC has."""

_DEFAULT = "the default"
_PROJECT = "[tool.aipc] in pyproject.toml"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A value and who says so, in words that follow "says": "the setting aipc.soc", "[tool.aipc] in pyproject.toml"."""

    value: str
    source: str

    @property
    def is_default(self) -> bool:
        return self.source.startswith(_DEFAULT)


@dataclass(frozen=True, slots=True)
class Effective:
    """``soc`` is a part number (``sm8650``); ``target`` is as it is written on the command line."""

    soc: EffectiveValue
    precision: EffectiveValue
    target: EffectiveValue


def in_effect(
    config: Config,
    model: ModelConfig | None,
    *,
    soc: str | None = None,
    precision: str | None = None,
    target: str | None = None,
    calibration: str | None = None,
    asked_by: str = "the request",
) -> Effective:
    """As asked, else as the model's table says, else as the project says, else the default.

    The default precision is fp16; with calibration data and an NPU of integers only it is w8a16.

    Raises:
        AipcError: there is no such SoC or precision.
    """
    own = f"[tool.aipc.models.{model.name}] in pyproject.toml" if model else ""
    chip = _first((soc, asked_by), (model.soc if model else None, own), (config.soc, _PROJECT)) or EffectiveValue(
        DEFAULT_SOC, _DEFAULT
    )
    soc_in_effect = get_soc(chip.value)
    bits = _first((precision, asked_by), (model.precision if model else None, own))
    if bits is None or (bits.value == "fp16" and not precision):
        integers = soc_in_effect.fp16 == "no" and (calibration or (model and model.calibration))
        without = f"{_DEFAULT} for an NPU without fp16"
        bits = EffectiveValue(INTEGERS, without) if integers else bits or EffectiveValue("fp16", _DEFAULT)
    if bits.value not in PRECISIONS:
        raise InputError(f"there is no precision called {bits.value!r}", remedy=f"use one of {', '.join(PRECISIONS)}")
    place = _first((target, asked_by), (config.target, _PROJECT)) or EffectiveValue("simulator", _DEFAULT)
    return Effective(EffectiveValue(soc_in_effect.part, chip.source), bits, place)


def _first(*candidates: tuple[str | None, str]) -> EffectiveValue | None:
    return next((EffectiveValue(value, source) for value, source in candidates if value), None)
