"""The data file: what a probe found, compact, in the package. Light.

One gzip-compressed JSON document for each QAIRT version, ``data/qairt-VERSION.json.gz``; the same measurements give the
same bytes. Columns are SoCs, each standing for its HTP arch.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import InputError
from aipc.core.plain_data import to_plain
from aipc.qairt.runtime import qairt_version

from .measurements import VERDICTS, Measured

FORMAT = 1
FOLDER = Path(__file__).with_name("data")
_DEPENDS_ON = ("qairt", "onnxruntime", "onnxruntime-qnn", "torch", "torchvision", "onnxscript", "onnx")


@dataclass(frozen=True, slots=True)
class MeasuredVariant:
    """One measured way to call some operators; see ``catalogue._case.Case``."""

    id: str
    family: str
    operators: tuple[str, ...]
    attributes: Mapping[str, Any]
    label: str
    """What tells it from variants with the same attributes, in words."""
    inputs: tuple[str, ...]
    """For example ``float32[1,6,10,12]``."""
    onnx: tuple[str, ...]
    """ONNX operators that it exports to."""
    measured: Mapping[str, Measured]
    """By SoC."""

    @property
    def known(self) -> dict[str, Any]:
        """Its attributes, rank and dtype of its first input among them."""
        dtype, _, shape = self.inputs[0].partition("[") if self.inputs else ("float32", "", "]")
        rank = len([size for size in shape.rstrip("]").split(",") if size])
        return {"rank": rank, "dtype": dtype, **self.attributes}


@dataclass(frozen=True, slots=True)
class Becomes:
    """What a variant that does not run as it is does once it is rewritten, and the rules that were applied."""

    verdict: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """ATen and torchvision operators that PyTorch's exporter has an ONNX form or a decomposition for."""

    registry: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    """Those that a case called or was exported through."""

    @property
    def gaps(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.registry) - set(self.covered)))


@dataclass(frozen=True, slots=True)
class Data:
    qairt: str
    versions: Mapping[str, str]
    socs: Mapping[str, int]
    """SoC -> HTP arch, in the order of the archs."""
    variants: tuple[MeasuredVariant, ...]
    parameters: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Operator -> its parameters in order: the name, or (name, default) where it has a default."""
    coverage: Coverage = field(default_factory=Coverage)
    precision: str = "fp16"
    rewritten: Mapping[str, Mapping[str, Becomes]] = field(default_factory=dict)
    """Variant -> SoC -> what it becomes, where a rule applies."""

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(sorted({name for variant in self.variants for name in variant.operators}))


def relevant(versions: Mapping[str, str]) -> dict[str, str]:
    """The versions that a measurement depends on."""
    return {name: versions[name] for name in _DEPENDS_ON if name in versions}


def default_path(version: str) -> Path:
    return FOLDER / f"qairt-{version}.json.gz"


def find() -> Path:
    """The file for the installed QAIRT, else that of the newest version.

    Raises:
        InputError: there is none.
    """
    installed = qairt_version()
    if installed and default_path(installed).is_file():
        return default_path(installed)
    return newest()


def newest() -> Path:
    """The file of the newest version, installed or not.

    Raises:
        InputError: there is none.
    """
    files = sorted(FOLDER.glob("qairt-*.json.gz"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])
    if not files:
        raise InputError("no operator has been measured yet", remedy="run `aipc ops --probe`")
    return files[-1]


def load(path: Path | None = None) -> Data:
    """Read a data file, the installed QAIRT's by default.

    Raises:
        InputError: there is no such file, or it is not one of ours.
    """
    path = path or find()
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(
            f"there is no data file {path}", remedy="give a file that `aipc ops --probe` wrote", detail=str(error)
        ) from error
    return _load(path, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, stamp: int) -> Data:
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        return _read(document)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise InputError(
            f"{path} is not an operator data file of this version of AIPC",
            remedy="write it again with `aipc ops --probe`",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def save(data: Data, path: Path) -> None:
    """Raises StorageError: the disk is full or cannot be written."""
    text = json.dumps(_plain(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        temporary.replace(path)


def merged(new: Data, old: Data) -> Data:
    """``new`` with the columns that only ``old`` has, where both were measured with the same versions."""
    if relevant(old.versions) != relevant(new.versions):
        return new
    socs = dict(sorted({**old.socs, **new.socs}.items(), key=lambda item: (item[1], item[0])))
    before = {variant.id: variant.measured for variant in old.variants}
    variants = tuple(
        replace(item, measured={soc: m for soc in socs if (m := {**before.get(item.id, {}), **item.measured}.get(soc))})
        for item in new.variants
    )
    return replace(new, socs=socs, variants=variants, rewritten=new.rewritten or old.rewritten)


def _plain(data: Data) -> dict[str, Any]:
    texts: dict[str, int] = {}
    parts = list(data.socs)

    def text(value: str) -> int:
        return texts.setdefault(value, len(texts))

    variants = []
    for item in data.variants:
        rows: dict[str, list[Any]] = {}
        for soc, measured in item.measured.items():
            row = _row(measured, text)
            rows.setdefault(json.dumps(row), [[], *row])[0].append(parts.index(soc))
        variants.append(
            [
                item.id,
                item.family,
                [text(name) for name in item.operators],
                dict(item.attributes),
                item.label,
                [text(name) for name in item.inputs],
                [text(name) for name in item.onnx],
                list(rows.values()),
            ]
        )
    document = {
        "format": FORMAT,
        "qairt": data.qairt,
        "precision": data.precision,
        "versions": dict(data.versions),
        "socs": dict(data.socs),
        "coverage": {"registry": data.coverage.registry, "covered": data.coverage.covered},
        "parameters": data.parameters,
        "variants": variants,
        "rewritten": {
            id: [
                [parts.index(soc), VERDICTS.index(item.verdict), *(text(rule) for rule in item.rules)]
                for soc, item in sorted(by_soc.items(), key=lambda entry: parts.index(entry[0]))
            ]
            for id, by_soc in sorted(data.rewritten.items())
        },
        "texts": list(texts),
    }
    plain: dict[str, Any] = to_plain(document)
    return plain


def _row(measured: Measured, text: Any) -> list[Any]:
    return [
        VERDICTS.index(measured.verdict),
        text(measured.reason),
        [text(name) for name in measured.cpu],
        [text(name) for name in measured.fails],
        to_plain(measured.sqnr_db),
        to_plain(measured.ideal_fp16_sqnr_db),
        int(measured.rounding),
        text(measured.values),
    ]


def _read(document: Mapping[str, Any]) -> Data:
    texts = document["texts"]

    def names(indices: Iterable[int]) -> tuple[str, ...]:
        return tuple(texts[index] for index in indices)

    parts = list(document["socs"])
    variants = []
    for id, family, operators, attributes, label, inputs, onnx, rows in document["variants"]:
        results: dict[int, Measured] = {}
        for socs, verdict, reason, cpu, fails, sqnr, ideal, rounding, values in rows:
            measured = Measured(
                VERDICTS[verdict],
                texts[reason],
                names(cpu),
                names(fails),
                _number(sqnr),
                _number(ideal),
                bool(rounding),
                texts[values],
            )
            results |= dict.fromkeys(socs, measured)
        by_soc = {parts[index]: results[index] for index in sorted(results)}
        variants.append(
            MeasuredVariant(id, family, names(operators), attributes, label, names(inputs), names(onnx), by_soc)
        )
    return Data(
        document["qairt"],
        document["versions"],
        document["socs"],
        tuple(variants),
        {name: tuple(item) for name, item in document["parameters"].items()},
        Coverage(tuple(document["coverage"]["registry"]), tuple(document["coverage"]["covered"])),
        document["precision"],
        {
            id: {parts[soc]: Becomes(VERDICTS[verdict], names(rules)) for soc, verdict, *rules in rows}
            for id, rows in document.get("rewritten", {}).items()
        },
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
