"""Write a sample program for a package: the program, generated from the manifest, and the golden vectors as ``.npy``.

A sample lies next to its package, because a package holds nothing that its manifest does not list.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError, PackageError, StorageError
from aipc.core.hashing import hash_file
from aipc.core.install import install_output
from aipc.core.package_manifest import APPLICATION, INPUTS, OUTPUTS, check_package

MARKER = "sample.json"
"""Lists the files of a sample with their hashes: a sample that its reader changed is not replaced."""

ELEMENT_TYPES: Mapping[str, int] = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
"""Dtype -> ``ONNXTensorElementDataType`` of onnxruntime's C API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of sample programs.

    Args:
        quote: a text as a string literal. Names come from models: nothing in them may end the literal.
        templates: name in ``templates/`` -> name in the sample.
    """

    quote: Callable[[str], str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or output as the program sees it.

    Args:
        dtype: of the caller's array. ``stored`` is the dtype that the package takes or gives, other than ``dtype``
            for integer inputs and outputs: real = (integer - zero_point) * scale.
    """

    name: str
    dtype: str
    stored: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def element_type(self) -> int:
        return ELEMENT_TYPES[self.stored]

    @property
    def own_type(self) -> int:
        return ELEMENT_TYPES[self.dtype]

    @property
    def is_encoded(self) -> bool:
        return self.stored != self.dtype


def languages() -> dict[str, Language]:
    """Every language, by the name that ``--sample`` takes."""
    import aipc.samples as package

    modules = {item.name: importlib.import_module(f"{package.__name__}.{item.name}") for item in _modules(package)}
    return {name: module.LANGUAGE for name, module in sorted(modules.items()) if hasattr(module, "LANGUAGE")}


def _modules(package: Any) -> Sequence[pkgutil.ModuleInfo]:
    return [item for item in pkgutil.iter_modules(package.__path__) if not item.ispkg]


def language_of(name: str) -> Language:
    """Raises InputError: there is no sample in this language."""
    known = languages()
    if name not in known:
        raise InputError(f"there is no sample in {name!r}", remedy=f"use --sample {' or '.join(known)}")
    return known[name]


def write_sample(package: Path, name: str, destination: Path | None = None) -> Path:
    """Write the sample program in the language ``name`` and return its directory.

    Args:
        destination: by default the package's own path with ``-sample-NAME`` behind it.

    Raises:
        InputError: the language is not known, or the package is an application or has a tensor without a C type.
        PackageError: the package is damaged.
        StorageError: something else lies at the destination, or it cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    language = language_of(name)
    package = package.resolve()
    manifest = check_package(package)
    if manifest.get("kind") == APPLICATION:
        raise InputError(
            f"{package} is an application, which brings its own host program", remedy="start from its run.py"
        )
    values = {
        "model": manifest["model"],
        "package": package.name,
        "qairt": manifest["qairt"],
        "threshold_db": float(manifest["self_test_sqnr_db"]),
        "chips": _chips(manifest),
        "inputs": _tensors(manifest["inputs"]),
        "outputs": _tensors(manifest["outputs"]),
    }
    templates = Environment(
        loader=PackageLoader("aipc.samples"), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    templates.filters["literal"] = language.quote
    place = destination or package.with_name(f"{package.name}-sample-{name}")

    with tempfile.TemporaryDirectory(prefix="aipc-sample-") as temporary:
        written = Path(temporary) / "sample"
        written.mkdir()
        for template, file in language.templates.items():
            (written / file).write_text(templates.get_template(template).render(values), "utf-8")
        _write_golden(package, written / "golden", manifest)
        files = _hashes(written)
        if place.is_dir() and files.items() <= _hashes(place).items():
            return place  # what was built or written beside the files stays
        if place.exists() and (problem := _ownership_problem(place)):
            raise StorageError(f"{place} is not replaced: {problem}", remedy="move it away and run the command again")
        (written / MARKER).write_text(json.dumps({"format": 1, "language": name, "files": files}, indent=2), "utf-8")

        def copy(staging: Path) -> None:
            shutil.copytree(written, staging)

        install_output(place, copy, _ownership_problem)
    return place


def _hashes(directory: Path) -> dict[str, str]:
    return {path.relative_to(directory).as_posix(): hash_file(path) for path in directory.rglob("*") if path.is_file()}


def _chips(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = ("soc", "soc_model", "htp_arch", "entry")
    return [{key: chip[key] for key in keys} for chip in manifest.get("contexts") or [manifest]]


def _tensors(specs: Sequence[Mapping[str, Any]]) -> list[Tensor]:
    tensors = []
    for spec in specs:
        encoding = spec.get("encoding") or {}
        stored = encoding.get("dtype", spec["dtype"])
        if not {stored, spec["dtype"]} <= set(ELEMENT_TYPES):
            raise InputError(
                f"tensor {spec['name']!r} is {spec['dtype']}, which a sample cannot hold",
                remedy="use the package's run.py",
            )
        tensors.append(
            Tensor(
                name=spec["name"],
                dtype=spec["dtype"],
                stored=stored,
                shape=tuple(spec["shape"]),
                scale=float(encoding.get("scale", 1.0)),
                zero_point=int(encoding.get("zero_point", 0)),
            )
        )
    return tensors


def _write_golden(package: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    """``input-0.npy``, ``output-0.npy`` …, numbered as in the manifest: names of tensors are not names of files."""
    folder.mkdir()
    for archive_name, kind, specs in ((INPUTS, "input", manifest["inputs"]), (OUTPUTS, "output", manifest["outputs"])):
        with zipfile.ZipFile(package / archive_name) as archive:
            for number, spec in enumerate(specs):
                try:
                    member = archive.open(f"{spec['name']}.npy")
                except KeyError as error:
                    raise PackageError(
                        f"{package / archive_name} has no array {spec['name']!r}", remedy="deploy the model again"
                    ) from error
                with member, (folder / f"{kind}-{number}.npy").open("wb") as file:
                    shutil.copyfileobj(member, file)


def _ownership_problem(directory: Path) -> str:
    """Why a directory is not a sample as it was written: what its reader changed or added is not replaced."""
    try:
        files = json.loads((directory / MARKER).read_text("utf-8"))["files"]
        hashes = _hashes(directory)
        changed = [name for name in sorted(hashes) if name != MARKER and files.get(name) != hashes[name]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"it has no {MARKER} of AIPC"
    return f"{changed[0]} was changed or added" if changed else ""
