"""``[tool.aipc]`` in the nearest pyproject.toml, and how a model is named."""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from .app_config import GRAPHS, AppConfig, app_directory, graph_names, graph_tolerance, parse_apps
from .config_types import Config, InputSpec, ModelConfig, ModelRef
from .errors import ConfigError, ModelLoadError, StorageError
from .model_options import PRECISIONS
from .names import name_problem
from .option import Value, configured_values, description
from .requests import MODEL_REQUESTS
from .sweep_config import parse_sweep
from .target_config import parse_targets
from .tolerance import tolerance_problem
from .types import Position, Range

__all__ = [
    "DEFAULT_SOC",
    "METRICS",
    "PACKAGE_PREFIX",
    "PRECISIONS",
    "SCALINGS",
    "Config",
    "InputSpec",
    "ModelConfig",
    "ModelRef",
    "further_keys",
    "load_config",
    "locate",
    "resolve_model",
    "shown_inputs",
    "write_model_config",
]

PACKAGE_PREFIX = "package:"
"""Before an entry that lies in an installed package, for example ``package:rapidocr/models/det.onnx``."""

FOLDER_PREFIX = "hf:"
"""Before an entry that is a folder of a Hugging Face model; a folder needs none where it is there."""

DEFAULT_SOC = "sm8650"
"""The chip that is meant when nobody names one."""

METRICS = ("classification", "detection")
SCALINGS = ("unit", "symmetric", "imagenet")
_FUNCTION = re.compile(r".+\.py:[A-Za-z_][\w.]*")
_INPUT = re.compile(r"[a-z]+\d*\s*\[[^\]]*\]|.+\.py:[A-Za-z_][\w.]*|.+\.(npz|npy|jpe?g|png|bmp|webp)", re.IGNORECASE)


def load_config(start: Path) -> Config:
    """Read ``[tool.aipc]`` from the nearest pyproject.toml at or above ``start``.

    Raises:
        ConfigError: the file is not TOML, or a value has the wrong type or is unknown.
    """
    start = start.resolve()
    for directory in (start, *start.parents):
        path = directory / "pyproject.toml"
        if not path.is_file():
            continue
        tool = _read(path).get("tool", {})
        table = tool.get("aipc") if isinstance(tool, dict) else None
        if table is not None:
            return _parse(path, table)
    return Config(root=start)


def _read(path: Path) -> dict[str, Any]:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        return dict(tomlkit.parse(path.read_text("utf-8")).unwrap())
    except ParseError as error:
        where = Position(error.line, max(error.col - 1, 0))
        raise ConfigError(
            f"this is not valid TOML: {error}",
            remedy=f"correct line {error.line}",
            range=Range(str(path), where, Position(error.line, where.column + 1)),
        ) from error
    except TOMLKitError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", remedy="give each key and table once") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", remedy="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="check its permissions") from error


def _parse(path: Path, table: Any) -> Config:
    if not isinstance(table, dict):
        raise ConfigError(f"[tool.aipc] in {path} is not a table", remedy="write it as [tool.aipc]")
    _known(path, "[tool.aipc]", table, set(description(Config)))
    models = table.get("models", {})
    if not isinstance(models, dict):
        raise ConfigError(f"tool.aipc.models in {path} is not a table", remedy="write [tool.aipc.models.NAME]")
    return Config(
        root=path.parent,
        soc=_string(path, "soc", table.get("soc")),
        target=_string(path, "target", table.get("target")),
        models={name: _parse_model(path, name, value) for name, value in models.items()},
        targets=parse_targets(path, table.get("targets", {})),
        apps=parse_apps(path, table.get("apps", {})),
        sweep=parse_sweep(path, table.get("sweep", {})),
    )


def _parse_model(path: Path, name: str, table: Any) -> ModelConfig:
    where = f"[tool.aipc.models.{name}]"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} in {path} is not a table", remedy='give it at least entry = "file.py:Name"')
    further = further_keys()
    _known(path, where, table, {*description(ModelConfig), *further})
    entry = _string(path, f"{where} entry", table.get("entry"))
    if not entry:
        raise ConfigError(f"{where} in {path} has no entry", remedy='add entry = "file.py:Name"')
    precision = table.get("precision")
    if precision is not None and precision not in PRECISIONS:
        raise ConfigError(
            f"{where} in {path} has the unknown precision {precision!r}",
            remedy=f"use one of {', '.join(PRECISIONS)}",
        )
    return ModelConfig(
        name=name,
        entry=entry,
        inputs=_inputs(path, where, table.get("inputs")),
        precision=precision,
        calibration=_string(path, f"{where} calibration", table.get("calibration")),
        calibration_count=_count(path, f"{where} calibration_count", table.get("calibration_count")),
        preprocess=_one_of(path, f"{where} preprocess", table.get("preprocess"), SCALINGS),
        tolerance=_tolerance(path, f"{where} tolerance", table.get("tolerance", {})),
        soc=_string(path, f"{where} soc", table.get("soc")),
        metric=_one_of(path, f"{where} metric", table.get("metric"), METRICS),
        samples=_string(path, f"{where} samples", table.get("samples")),
        dims=_dims(path, f"{where} dims", table.get("dims", {})),
        state=_state(path, where, table.get("state")),
        options={name: _option(path, where, table[name], item) for name, item in further.items() if name in table},
    )


def further_keys() -> dict[str, Value]:
    """Options of requests that a model's table may set beside its own keys."""
    return configured_values(*MODEL_REQUESTS, without={*description(ModelConfig), *description(Config)})


def _option(path: Path, where: str, value: Any, item: Value) -> Any:
    """A value of a request's option: of its type, and one of its values where it has few."""
    values = [switch.value for switch in item.option.switches]
    if item.type is str and values:
        values.append(item.default)
        if value not in values:
            names = ", ".join(values)
            raise ConfigError(f"{where} {item.name} in {path} is {value!r}", remedy=f"use one of {names}")
        return value
    wanted = (int, float) if item.type is float else item.type
    if not isinstance(value, wanted) or (isinstance(value, bool) and item.type is not bool):
        raise ConfigError(
            f"{where} {item.name} in {path} is {value!r}, not of type {item.type.__name__}",
            remedy=f"{item.name}: {item.help}",
        )
    return value


def _known(path: Path, where: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
            raise ConfigError(f"{where} in {path} has the unknown key {key!r}", remedy=remedy)


def _string(path: Path, where: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ConfigError(f"{where} in {path} is {value!r}, not a string", remedy="put it in quotes")


def _one_of(path: Path, where: str, value: Any, names: tuple[str, ...]) -> str | None:
    text = _string(path, where, value)
    if text is None or text in names or _FUNCTION.fullmatch(text):
        return text
    near = difflib.get_close_matches(text, names, 1)
    remedy = f"did you mean {near[0]}?" if near else f'use {", ".join(names)}, or "file.py:function"'
    raise ConfigError(f"{where} in {path} is {text!r}, which names nothing", remedy=remedy)


def _count(path: Path, where: str, value: Any) -> int | None:
    if value is None or (type(value) is int and value > 0):
        return value
    raise ConfigError(f"{where} in {path} is {value!r}, not a number of samples", remedy="for example 32")


def _tolerance(path: Path, where: str, value: Any) -> dict[str, float]:
    problem, remedy = tolerance_problem(value)
    if problem:
        raise ConfigError(f"{where} in {path} {problem}", remedy=remedy)
    return dict(value)


def _dims(path: Path, where: str, value: Any) -> dict[str, int | tuple[int, ...]]:
    dims: dict[str, int | tuple[int, ...]] = {}
    for name, sizes in value.items() if isinstance(value, dict) else [("", None)]:
        if name and (problem := name_problem(name)):
            raise ConfigError(f"{where} in {path}: the name {name[:60]!r} {problem}", remedy="rename the dimension")
        several: list[Any] = sizes if isinstance(sizes, list) else [sizes]
        if not several or any(type(size) is not int or size < 1 for size in several):
            raise ConfigError(
                f"{where} in {path} is not a table of sizes",
                remedy="pin a dimension as { batch = 1 } or give buckets as { tokens = [128, 256] }",
            )
        dims[name] = tuple(sorted(set(several))) if isinstance(sizes, list) else several[0]
    return dims


def _state(path: Path, where: str, value: Any) -> Literal["inputs"] | None:
    if value is None or value == "inputs":
        return "inputs" if value else None
    raise ConfigError(f"{where} state in {path} is {value!r}", remedy='the only value is state = "inputs"')


def _inputs(path: Path, where: str, value: Any) -> InputSpec:
    if value is None:
        return None
    texts = [value] if isinstance(value, str) else list(value.values()) if isinstance(value, dict) else value
    if isinstance(texts, list) and all(isinstance(item, str) for item in texts):
        for text in texts:
            if not _INPUT.fullmatch(text.strip()):
                raise ConfigError(
                    f"{where} inputs in {path} has {text!r}, which is neither a shape nor a file",
                    remedy='write a shape such as "float32[1,3,64,64]", a file such as "x.npz", or "file.py:function"',
                )
        return tuple(value) if isinstance(value, list) else value if isinstance(value, str) else dict(value)
    raise ConfigError(
        f"{where} inputs in {path} is neither a string, a list nor a table of strings",
        remedy='for example { images = "float32[1,3,640,640]" }',
    )


def resolve_model(ref: str, cwd: Path, config: Config) -> ModelRef:
    """Turn what the user typed into a reference: a configured name, ``file.py:Name``, ``.onnx`` or ``.pt2``.

    Raises:
        ModelLoadError: there is no such model or file; the remedy names what is near.
    """
    if ref in config.models:
        model = config.models[ref]
        return _from_entry(model.entry, config.root, model.name, model, config)
    app, _, graph = ref.partition(".")
    if app in config.apps and graph:
        return _graph_of(config.apps[app], graph, config)
    if ":" in ref.replace(":\\", "") or Path(ref).suffix in {".py", ".onnx", ".pt2", *_WAYS} or _is_folder(cwd / ref):
        return _from_entry(ref, cwd, None, None, config)
    near = difflib.get_close_matches(ref, config.models, 3)
    known = ", ".join(near or config.models) or "none yet"
    raise ModelLoadError(
        f"there is no model called {ref!r} in {config.root / 'pyproject.toml'}",
        remedy=f"configured models: {known}; or name it as file.py:Name",
    )


def _graph_of(app: AppConfig, graph: str, config: Config) -> ModelRef:
    """One graph of an application as a model: a factory in the file that the application's plan wrote."""
    names = graph_names(config.root, app.name)
    if graph not in names:
        raise ModelLoadError(f"the application {app.name} has no graph {graph!r}", remedy=f"it has {', '.join(names)}")
    file = app_directory(config.root, app.name) / GRAPHS
    model = ModelConfig(
        name=f"{app.name}.{graph}",
        entry=f"{file}:{graph}",
        inputs=f"{file}:{graph}_inputs",
        calibration=f"{file}:{graph}_samples",
        precision=app.precision,
        tolerance=graph_tolerance(config.root, app.name, graph),
        soc=app.soc,
    )
    return _from_entry(model.entry, config.root, model.name, model, config)


def _from_entry(entry: str, base: Path, name: str | None, model: ModelConfig | None, config: Config) -> ModelRef:
    file, separator, attribute = entry.rpartition(":")
    if entry.startswith(PACKAGE_PREFIX) and file == PACKAGE_PREFIX[:-1]:
        separator = ""  # package:rapidocr/models/x.onnx names no attribute
    if not separator or file.endswith(":\\") or len(file) == 1:
        file, attribute = entry, ""
    if entry.startswith(FOLDER_PREFIX) or _is_folder(base / Path(entry).expanduser()):
        return _folder(entry.removeprefix(FOLDER_PREFIX), base, name, model, config)
    path = locate(file, base)
    suffix = path.suffix.lower()
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [item.name for item in _listing(path.parent)], 1)
        remedy = f"did you mean {near[0]}?" if near else "check the path"
        raise ModelLoadError(f"there is no file {path}", remedy=remedy)
    if suffix == ".py" and not attribute:
        raise ModelLoadError(f"{file} names a file but no model in it", remedy=f"write {file}:ClassOrFactory")
    called = name or attribute or path.stem
    if problem := name_problem(called):
        raise ModelLoadError(f"the name {called[:60]!r} {problem}", remedy="name it in [tool.aipc.models.NAME]")
    kinds: dict[str, Literal["python", "onnx", "pt2"]] = {".py": "python", ".onnx": "onnx", ".pt2": "pt2"}
    if suffix not in kinds:
        raise ModelLoadError(
            f"{path} is not a .py, .onnx or .pt2 file", remedy=_WAYS.get(suffix, "name the model as file.py:Name")
        )
    return ModelRef(
        name=called,
        kind=kinds[suffix],
        path=path,
        attribute=attribute or None,
        inputs=model.inputs if model else None,
        config=model,
        root=config.root,
    )


_WITH_WEIGHTS = (
    "weights alone are no model: name a function, as file.py:function, that builds the model, loads them and returns it"
)
_FROM_TENSORFLOW = "convert it with tf2onnx, and name the .onnx file"
_WAYS = {
    **dict.fromkeys((".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".pkl"), _WITH_WEIGHTS),
    **dict.fromkeys((".tflite", ".pb", ".h5", ".keras"), _FROM_TENSORFLOW),
    ".gguf": "name it as the entry of an application: [tool.aipc.apps.NAME]",
    ".ipynb": "open it in VS Code, or call aipc.check in a cell; here name the model as file.py:Name",
}
"""What to do with files of other kinds."""


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (a name that is too long is no directory, and no error)


def _folder(text: str, base: Path, name: str | None, model: ModelConfig | None, config: Config) -> ModelRef:
    path = (base / Path(text).expanduser()).resolve()
    if not (path / "config.json").is_file():
        raise ModelLoadError(
            f"{path} holds no config.json, as folders of Hugging Face models do",
            remedy=f"download the model first, with hf download {text} --local-dir FOLDER, and name hf:FOLDER",
        )
    called = name or path.name
    if problem := name_problem(called):
        raise ModelLoadError(f"the name {called[:60]!r} {problem}", remedy="name it in [tool.aipc.models.NAME]")
    inputs = model.inputs if model else None
    return ModelRef(
        name=called, kind="folder", path=path, attribute=None, inputs=inputs, config=model, root=config.root
    )


def locate(file: str, base: Path) -> Path:
    """The path that an entry names: relative to ``base``, or in an installed package after ``package:``."""
    if not file.startswith(PACKAGE_PREFIX):
        return (base / Path(file).expanduser()).resolve()
    package, _, inside = file.removeprefix(PACKAGE_PREFIX).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ModelLoadError(
            f"the package {package!r} that {file!r} names is not installed", remedy=f"pip install {package}"
        )
    return (Path(next(iter(spec.submodule_search_locations))) / inside).resolve()


def _listing(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def write_model_config(
    pyproject: Path, name: str, *, entry: str, inputs: Mapping[str, str] | Sequence[str] | str
) -> None:
    """Add or update ``[tool.aipc.models.NAME]``, keeping the file's comments, order and other keys.

    Raises:
        ConfigError: the file is not TOML, or something else stands where the table should be.
        StorageError: the file cannot be written; it is then as it was.
    """
    import tomlkit

    if problem := name_problem(name):
        raise ConfigError(f"the name {name[:60]!r} {problem}", remedy="choose another name for the model")
    if pyproject.is_file():
        _read(pyproject)
        document = tomlkit.parse(pyproject.read_text("utf-8"))
    else:
        document = tomlkit.document()
    try:
        tool = document.setdefault("tool", tomlkit.table(is_super_table=True))
        aipc = tool.setdefault("aipc", tomlkit.table())
        models = aipc.setdefault("models", tomlkit.table(is_super_table=True))
        model = models.setdefault(name, tomlkit.table())
        model["entry"] = entry
        model["inputs"] = _toml_inputs(inputs)
    except (AttributeError, TypeError) as error:
        raise ConfigError(
            f"[tool.aipc.models.{name}] cannot be written to {pyproject}: another value stands in its place",
            remedy="make tool.aipc.models a table",
        ) from error
    temporary = pyproject.with_name(f".{pyproject.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(tomlkit.dumps(document), "utf-8")
        temporary.replace(pyproject)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StorageError(
            f"cannot write {pyproject}: {error.strerror}", remedy="check its permissions and the free space"
        ) from error


def shown_inputs(inputs: InputSpec | Mapping[str, str]) -> str:
    """Inputs as they are written in TOML."""
    import tomlkit

    return str(tomlkit.item(_toml_inputs(inputs or "")).as_string())


def _toml_inputs(inputs: Mapping[str, str] | Sequence[str] | str) -> Any:
    import tomlkit

    if isinstance(inputs, str):
        return inputs
    if not isinstance(inputs, Mapping):
        return list(inputs)
    table = tomlkit.inline_table()
    table.update(dict(inputs))
    return table
