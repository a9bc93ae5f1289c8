"""A model with its example inputs, as everything that runs PyTorch needs them."""

from __future__ import annotations

from aipc.core.config import ModelRef

from .arguments import Inputs
from .inputs import example_inputs
from .load import LoadedModel, load_model


def open_model(ref: ModelRef) -> tuple[LoadedModel, Inputs]:
    """Build the model of ``ref`` and find its example inputs, with its state among them where that is configured.

    Raises:
        ModelLoadError, InputError: as :func:`load_model` and :func:`example_inputs`.
    """
    loaded = load_model(ref)
    return with_configured_state(loaded, example_inputs(loaded))


def with_configured_state(loaded: LoadedModel, inputs: Inputs) -> tuple[LoadedModel, Inputs]:
    """The model's state as arguments where ``state = "inputs"`` is configured; else all as it was."""
    if loaded.ref.config is None or loaded.ref.config.state is None:
        return loaded, inputs
    from .state import with_state

    return with_state(loaded, inputs)
