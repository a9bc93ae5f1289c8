"""How a model gets from the caller to the engine: a name as it is, an ``nn.Module`` as its capture.

A live module is captured in the caller's process (``capture/live.py`` says why); what workers get is the ONNX graph,
arrays and the source map in the cache. The module itself, its class and its pickle never leave the process.
"""

from __future__ import annotations

import hashlib
import linecache
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache, storage_errors
from aipc.core.config import ModelConfig, ModelRef, load_config
from aipc.core.errors import InputError, MissingDependencyError
from aipc.core.hashing import hash_file, hash_value
from aipc.core.scratch import scratch_directory
from aipc.core.types import Event, TensorSpec
from aipc.pipeline.artifacts import read_source_map


@dataclass(frozen=True, slots=True)
class Handed:
    """A model as the engine's requests take it."""

    model: str
    captured: ModelRef | None = None
    inputs: Mapping[str, str] | None = None
    calibration: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """Path -> text of sources that no file has: the cells of a notebook."""


def hand_over(
    model: Any,
    example_inputs: Any,
    *,
    name: str | None = None,
    calibration: Any = None,
    calibration_count: int | None = None,
    tolerance: Mapping[str, float] | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Handed:
    """Make a model ready for the engine.

    Raises:
        InputError: the model is neither a module nor a name, or the inputs do not fit.
    """
    if isinstance(model, (str, Path)):
        if tolerance is not None:
            raise InputError("tolerance is for a module", remedy="set it in [tool.aipc.models.NAME]")
        if calibration is not None and not isinstance(calibration, (str, Path)):
            raise InputError(
                "the calibration data of a model that is named must be named, too",
                remedy="give a folder, an .npz file or file.py:name, or give the nn.Module itself",
            )
        text = str(model)
        return Handed(
            text, None, _named_inputs(example_inputs), None if calibration is None else _path_text(calibration)
        )
    if not _is_module(model):
        raise InputError(
            f"a model is an nn.Module or its name, not {type(model).__name__}",
            remedy="give an instance of an nn.Module class, or text such as model.py:Net",
        )
    return _captured(model, example_inputs, name, calibration, calibration_count, tolerance, on_event)


def _captured(
    model: Any,
    example_inputs: Any,
    name: str | None,
    calibration: Any,
    count: int | None,
    tolerance: Mapping[str, float] | None,
    on_event: Callable[[Event], None] | None,
) -> Handed:
    try:
        from aipc.capture.live import capture_live
    except ImportError as error:
        raise MissingDependencyError(
            f"{error.name} is not installed in this Python", remedy="run pip install 'aipc[engine]'"
        ) from error
    name = name or type(model).__name__
    cache = Cache()
    with scratch_directory(_below(cache)) as directory:
        result = capture_live(on_event or _ignore, model, example_inputs, directory, name)
        digest = hash_value({path.name: _digest(path) for path in sorted(directory.iterdir())})
        entry = cache.put(hash_value({"live": 1, "files": digest}), lambda out: _moved(directory, out))
    config = load_config(Path.cwd())
    of_model = ModelConfig(name, entry="", tolerance=dict(tolerance or {}))
    ref = ModelRef(name, "captured", entry.path, None, None, of_model, config.root)
    data = None
    if isinstance(calibration, (str, Path)):
        data = _path_text(calibration)
    elif calibration is not None:
        data = _calibration(cache, calibration, result.inputs, count)
    return Handed(name, ref, None, data, _cell_sources(entry.path / "source_map.json", result.findings))


def _below(cache: Cache) -> Path:
    """Where files wait that are going to be moved into the cache: on its own disk."""
    with storage_errors(cache.root):
        cache.root.mkdir(parents=True, exist_ok=True)
    return cache.root


def _is_module(model: Any) -> bool:
    import sys

    torch = sys.modules.get("torch")  # who has a module has imported it
    return torch is not None and isinstance(model, torch.nn.Module)


def _digest(path: Path) -> str:
    """``result.json`` holds times; what it says besides follows from the other files and the findings."""
    return hash_file(path) if path.name != "result.json" else hashlib.sha256(_without_times(path)).hexdigest()


def _without_times(path: Path) -> bytes:
    import json

    document = json.loads(path.read_text("utf-8"))
    return json.dumps({**document, "timings": {}}, sort_keys=True).encode()


def _moved(source: Path, out: Path) -> Mapping[str, Any]:
    for path in source.iterdir():
        shutil.move(path, out / path.name)
    return {}


def _named_inputs(example_inputs: Any) -> Mapping[str, str] | None:
    """Inputs of a model that is named: texts as the configuration has them; arrays become files in the cache."""
    if example_inputs is None:
        return None
    if not isinstance(example_inputs, Mapping):
        raise InputError(
            "example inputs of a model that is named need the names of forward's arguments",
            remedy='give for example {"x": tensor} or {"x": "float32[1,3,224,224]"}',
        )
    if all(isinstance(value, str) for value in example_inputs.values()):
        return dict(example_inputs)
    from aipc.numerics.tensors import write_array

    folder = Cache().root / "inputs"
    return {
        name: value if isinstance(value, str) else str(write_array(value, folder))
        for name, value in example_inputs.items()
    }


def _path_text(value: str | Path) -> str:
    text = str(value)
    file, separator, attribute = text.rpartition(":") if ".py:" in text else (text, "", "")
    path = Path(file).expanduser()
    return f"{path.resolve()}{separator}{attribute}" if path.exists() else text


def _calibration(cache: Cache, data: Any, inputs: tuple[TensorSpec, ...], count: int | None) -> str:
    """Samples of an iterable in this process as a folder of arrays in the cache."""
    from aipc.quantize.calibrate.write_samples import write_samples
    from aipc.quantize.plan import CALIBRATION_COUNT, HELD_OUT_COUNT

    wanted = (count or CALIBRATION_COUNT) + HELD_OUT_COUNT
    with scratch_directory(_below(cache)) as directory:
        write_samples(data, inputs, directory, wanted)
        digest = hash_value([hash_file(path) for path in sorted(directory.iterdir())])
        entry = cache.put(hash_value({"samples": 1, "files": digest}), lambda out: _moved(directory, out))
    return str(entry.path)


def _cell_sources(source_map: Path, findings: tuple[Any, ...]) -> dict[str, str]:
    files = {finding.range.file for finding in findings if finding.range}
    if source_map.is_file():
        origins = (item for group in read_source_map(source_map).nodes.values() for item in group)
        files |= {frame.range.file for item in origins for frame in item.frames if not frame.library}
    texts = {file: "".join(linecache.getlines(file)) for file in files if not Path(file).is_file()}
    return {file: text for file, text in texts.items() if text}


def _ignore(event: Event) -> None:
    return None
