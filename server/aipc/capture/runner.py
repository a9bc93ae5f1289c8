"""PyTorch's own answers for other inputs of a captured model, each from the same random numbers and the same state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from aipc.core.config import ModelRef

from .archive import load_program
from .arguments import Inputs
from .interface import as_array, call, input_names
from .load import LoadedModel, seed_everything
from .model_with_inputs import open_model
from .recorder import ConstructionRecorder

Array = np.ndarray[Any, Any]


class TorchRunner:
    """Runs the author's model on arrays by graph input name.

    Every run starts from the same random numbers and, with ``reset``, from the buffers as they were after the
    example: what one input set leaves behind is not part of the next one's answer.

    Raises:
        ModelLoadError, InputError: the model cannot be loaded again.
    """

    def __init__(self, ref: ModelRef) -> None:
        loaded, self._example = _open(ref)
        self.ref, self.module = ref, loaded.module
        self._leaves, self._structure = pytree.tree_flatten((tuple(self._example.args), dict(self._example.kwargs)))
        places = [place for place, leaf in enumerate(self._leaves) if isinstance(leaf, torch.Tensor)]
        self._places = dict(zip(input_names(self.module, self._example), places, strict=True))
        # Modules that build state at their first call did so on the example when they were captured.
        seed_everything()
        call(self.module, self._example)
        self._buffers = {name: buffer.clone() for name, buffer in self.module.named_buffers()}

    def run(self, arrays: Mapping[str, Array], *, reset: bool = True) -> dict[str, Array]:
        """Outputs by name, in the shapes and dtypes of the graph. What ``forward`` raises is raised."""
        return {name: as_array(tensor) for name, tensor in self._tensors(arrays, reset=reset).items()}

    def run_double(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The same in fp64, to which the module is brought for good. A model that makes fp32 itself raises."""
        self.module.double()
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            tensors = self._tensors(arrays, double=True)
        finally:
            torch.set_default_dtype(before)
        return {name: tensor.detach().numpy() for name, tensor in tensors.items()}

    def _tensors(
        self, arrays: Mapping[str, Array], *, reset: bool = False, double: bool = False
    ) -> Mapping[str, torch.Tensor]:
        filled = list(self._leaves)
        for name, place in self._places.items():
            value = torch.from_numpy(np.array(arrays[name])) if name in arrays else filled[place]
            kind = filled[place].dtype
            filled[place] = value.to(torch.float64 if double and kind.is_floating_point else kind)
        args, kwargs = pytree.tree_unflatten(filled, self._structure)
        seed_everything()
        try:
            return call(self.module, Inputs(args, kwargs)).tensors
        finally:
            if reset:
                self._restore()

    def _restore(self) -> None:
        for name, buffer in self.module.named_buffers():
            initial = self._buffers.get(name)
            if initial is not None and initial.shape == buffer.shape and not torch.equal(initial, buffer):
                with torch.no_grad():
                    buffer.copy_(initial)


def _open(ref: ModelRef) -> tuple[LoadedModel, Inputs]:
    if ref.kind == "pt2":
        program = load_program(ref.path)
        args, kwargs = program.example_inputs or ((), {})
        return LoadedModel(program.module(), ref, program, ConstructionRecorder()), Inputs(tuple(args), dict(kwargs))
    return open_model(ref)
