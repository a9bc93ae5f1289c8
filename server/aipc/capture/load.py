"""Turn a model reference into an ``nn.Module``, with the user's own mistakes told at their lines."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import inspect
import random
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch.nn.parameter import is_lazy

from aipc.core.config import ModelRef
from aipc.core.errors import AipcError, MissingDependencyError, ModelLoadError
from aipc.core.types import Position, Range

from .checkpoint_folder import load_folder
from .custom_operators import kernel_recorder
from .fake_quantization import evaluation_mode
from .imports import put_first
from .recorder import ConstructionRecorder, stack_of_traceback
from .sourcemap import is_library, resolve_frame
from .unsaved import unsaved_sources


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A module in evaluation mode, where it came from, and where its parts were constructed."""

    module: torch.nn.Module
    ref: ModelRef
    source: Any
    """What the reference named: the class, the factory or the instance."""
    constructions: ConstructionRecorder
    widened: bool = False
    """Its weights had 16 bits and are float32 now."""


def load_model(ref: ModelRef) -> LoadedModel:
    """Import the file that ``ref`` names and build the model, its random numbers from a fixed seed.

    A model that draws its weights is the same each time: proofs of edits compare one building of it with another.

    Raises:
        ModelLoadError: syntax error, missing name, code that raises, or something that is not a model.
        MissingDependencyError: an import that fails.
    """
    seed_everything()
    with ConstructionRecorder() as constructions, kernel_recorder(), unsaved_sources(ref.unsaved):
        if ref.kind == "folder":
            model = load_folder(ref.path)
            source: Any = type(model)
        else:
            source = _attribute(import_file(ref.path, ref.root), ref)
            model = build(source, ref)
    module = network_of(model)
    if not isinstance(module, torch.nn.Module):
        raise ModelLoadError(
            f"{ref.attribute} in {ref.path} is {type(model).__name__}, not a PyTorch module",
            remedy="name an nn.Module class, an instance of one, or a function that returns one",
        )
    _require_weights(module, ref)
    evaluation_mode(module)
    return LoadedModel(module, ref, source, constructions, _widen(module))


def _require_weights(module: torch.nn.Module, ref: ModelRef) -> None:
    """Raises ModelLoadError for a module that has no Python code, or no values yet."""
    if isinstance(module, torch.jit.ScriptModule):
        raise ModelLoadError(
            f"{ref.attribute} in {ref.path} is a TorchScript module, which PyTorch does not export",
            remedy="name the nn.Module that it was made from",
        )
    for name, part in module.named_modules():
        if type(part).__module__.startswith(_QUANTIZED):
            raise ModelLoadError(
                f"{name or ref.attribute} in {ref.path} is {type(part).__name__}, which PyTorch does not export",
                remedy="name the model as it was before PyTorch quantized it, and quantize with --precision w8a16",
            )
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if is_lazy(tensor):
            raise ModelLoadError(
                f"{name} of {ref.attribute} has no shape before the first call",
                remedy="name a function that makes the model, calls it once and returns it",
            )
        if tensor.device.type == "meta":
            raise ModelLoadError(
                f"{name} of {ref.attribute} has no values: it is on the device meta",
                remedy="name a function that loads the weights and returns the model",
            )


_QUANTIZED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized")
"""Where PyTorch's layers with packed integers are."""

_CONTAINERS = ("_orig_mod", "module", "model", "unet", "transformer")
"""Under which names compiled modules, parallel ones, ultralytics' models and pipelines hold the network."""


def network_of(model: Any) -> Any:
    """The network inside of a compiled or parallel module, a library's model object or pipeline; else ``model``."""
    while not _is_network(model):
        inner = next((item for name in _CONTAINERS if isinstance(item := getattr(model, name, None), _MODULE)), None)
        if inner is None or inner is model:
            return model
        model = inner
    return model


def _is_network(model: Any) -> bool:
    if not isinstance(model, _MODULE) or hasattr(model, "_orig_mod"):
        return False
    # A class that calls itself in its own way, as ultralytics' YOLO does, predicts; its network is within.
    own_call = type(model).__call__ is not _MODULE.__call__
    return not own_call and not isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel))


_MODULE = torch.nn.Module
HALVES = {torch.float16, torch.bfloat16}


def _widen(module: torch.nn.Module) -> bool:
    """Make weights of 16 bits float32: the reference is what they say, not how a CPU rounds between them."""
    tensors = [*module.parameters(), *module.buffers()]
    narrow = any(tensor.dtype in HALVES for tensor in tensors)
    for tensor in tensors if narrow else ():
        if tensor.dtype in HALVES:
            tensor.data = tensor.data.float()
    return narrow


def seed_everything() -> None:
    """As if the process had just started with this seed: PyTorch's, NumPy's and Python's random numbers."""
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def import_file(path: Path, root: Path | None = None) -> ModuleType:
    """Import ``path`` as Python would from its own directory (as part of its package when it has one)."""
    package_root, names = path.parent, [path.stem]
    while (package_root / "__init__.py").is_file():
        names.insert(0, package_root.name)
        package_root = package_root.parent
    put_first(list(dict.fromkeys((str(package_root), str(path.parent), str(root or package_root)))))
    name = ".".join(names)
    arguments_before = sys.argv
    # A script that reads its arguments when it is imported finds none.
    sys.argv = [str(path)]
    try:
        if len(names) > 1:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    except SyntaxError as error:
        file, line, column = error.filename or str(path), error.lineno or 1, max(0, (error.offset or 1) - 1)
        where = Range(
            file,
            Position(line, column),
            Position(error.end_lineno or line, max(0, (error.end_offset or column + 2) - 1)),
        )
        raise ModelLoadError(f"syntax error: {error.msg}", remedy="correct the line", range=where) from error
    except SystemExit as error:
        raise ModelLoadError(
            f"{path.name} ends the program when it is imported: sys.exit, or argparse without its arguments",
            remedy='put what only a script does below if __name__ == "__main__":',
            range=innermost_user_range(error, path),
        ) from error
    except Exception as error:
        raise raised(error, path, "the model's file") from error
    finally:
        sys.argv = arguments_before


def _attribute(namespace: ModuleType, ref: ModelRef) -> Any:
    value: Any = namespace
    for part in (ref.attribute or "").split("."):
        if not hasattr(value, part):
            names = [name for name in vars(value) if not name.startswith("_")]
            near = difflib.get_close_matches(part, names, 3)
            models = [name for name in names if _is_model_class(getattr(value, name, None))]
            hint = f"did you mean {', '.join(near)}?" if near else f"models in it: {', '.join(models) or 'none'}"
            raise ModelLoadError(f"there is no {ref.attribute} in {ref.path}", remedy=hint)
        value = getattr(value, part)
    return value


def _is_model_class(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, torch.nn.Module) and value is not torch.nn.Module


def build(source: Any, ref: ModelRef) -> Any:
    """An instance of what was named: instances as they are, classes and factories called without arguments."""
    if isinstance(source, torch.nn.Module) or not callable(source):
        return source
    settings = {}
    for parameter in _required(source):
        if (kind := _settings_class(source, parameter)) is None:
            names = ", ".join(item.name for item in _required(source))
            raise ModelLoadError(
                f"{ref.attribute} in {ref.path} needs the arguments {names}",
                remedy="add a function that takes none and returns the model, and name it as "
                f"{ref.path.name}:that_function",
            )
        settings[parameter.name] = kind
    try:
        return source(**{name: kind() for name, kind in settings.items()})
    except Exception as error:
        raise raised(error, ref.path, str(ref.attribute)) from error


def _required(source: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(source).parameters.values()
    except (TypeError, ValueError):
        return []
    several = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    return [item for item in parameters if item.default is item.empty and item.kind not in several]


def _settings_class(source: Any, parameter: inspect.Parameter) -> type | None:
    """The class of settings that an argument takes, if its defaults stand for it: a dataclass's, or transformers'."""
    if parameter.name == "config" and inspect.isclass(kind := getattr(source, "config_class", None)):
        return cast("type", kind)
    function = source.__init__ if inspect.isclass(source) else source
    try:
        kind = typing.get_type_hints(function).get(parameter.name)
    except Exception:  # annotations are code too: what they raise says nothing of the model
        return None
    return kind if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and not _required(kind) else None


def innermost_user_range(error: BaseException, prefer: Path | None = None) -> Range | None:
    """The innermost line of the author's code in an exception's traceback."""
    frames = [frame for frame in stack_of_traceback(error.__traceback__) if not is_library(frame[0].co_filename)]
    return resolve_frame(frames[0]).range if frames else None


_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pl_bolts": "lightning-bolts",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Module -> distribution, where the names differ and pip installs something else or nothing by the module's."""


def not_installed(error: ModuleNotFoundError, path: Path | None = None) -> MissingDependencyError:
    """The author's code imports a module that is not there: say where, and what pip calls it."""
    module = (error.name or "").partition(".")[0]
    return MissingDependencyError(
        f"the module {error.name!r} is imported here and not installed",
        remedy=f"run pip install {_DISTRIBUTIONS.get(module, module)}",
        range=innermost_user_range(error, path),
    )


def raised(error: Exception, path: Path, what: str) -> AipcError:
    """The author's code raised: say what, at its own line."""
    import traceback

    if isinstance(error, AipcError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return not_installed(error, path)
    lines = str(error).strip().splitlines()
    return ModelLoadError(
        f"{what} raised {type(error).__name__}: {lines[0] if lines else 'no message'}",
        remedy="correct the model's code",
        range=innermost_user_range(error, path),
        detail="".join(traceback.format_exception(error)),
    )
