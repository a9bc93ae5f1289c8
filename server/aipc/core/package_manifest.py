"""The manifest of a package: its schema, and whether a directory holds exactly the files that it lists.

A package is data that may come from anybody. Whatever stands in a manifest is checked here before anything uses it:
types, ranges, and that names of files stay inside the package. Keys that are not known are kept and never followed.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from .errors import PackageError
from .hashing import hash_file

FORMAT = 1
MANIFEST = "manifest.json"
REPORTS = frozenset({"report.json", "report.html"})
"""Written for people next to the manifest; nothing reads them, so they are not hashed."""
INPUTS, OUTPUTS = "golden/inputs.npz", "golden/outputs.npz"
APPLICATION = "application"
"""The kind of a package that holds several graphs, each a package of its own, and a program that runs them."""
GOLDEN_ANSWERS = "golden/answers.json"
_MOST_BYTES = 64 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DTYPE = re.compile(r"bool|u?int(4|8|16|32|64)|b?float(16|32|64)")
_SOC = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_REMEDY = "deploy the model again"

Check = Callable[[Any], str]
"""What is wrong with a value, as the end of a sentence; "" when nothing is."""


def read_manifest(package: Path) -> dict[str, Any]:
    """The manifest of a package, checked against the schema. The files themselves are not looked at.

    Raises:
        PackageError: there is none, or it names what is wrong in it.
    """
    path = package / MANIFEST
    try:
        text = _read_regular(path)
        manifest = json.loads(text, parse_constant=_no_constant)
    except FileNotFoundError:
        if not package.exists():
            raise PackageError(
                f"there is no package {package}",
                remedy="give the place that it was moved to, or deploy the model again",
            ) from None
        raise PackageError(
            f"{package} is not a package: it has no {MANIFEST}",
            remedy="give the directory that `aipc deploy` wrote",
        ) from None
    except NotADirectoryError:
        raise PackageError(
            f"{package} is not a package: it is not a directory",
            remedy="give the directory that `aipc deploy` wrote",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise PackageError(f"{path} is damaged", remedy=_REMEDY, detail=str(error)) from error
    if not isinstance(manifest, dict):
        raise PackageError(f"{path} is damaged: it is not an object", remedy=_REMEDY)
    if type(manifest.get("format")) is not int or manifest["format"] != FORMAT:
        version = "no format" if "format" not in manifest else f"the format {_shown(manifest['format'])}"
        raise PackageError(f"{path} has {version}, and this version of AIPC reads format {FORMAT}", remedy=_REMEDY)
    if problem := manifest_problem(manifest):
        raise PackageError(f"{path} is damaged: {problem}", remedy=_REMEDY)
    return manifest


def check_package(package: Path) -> dict[str, Any]:
    """The manifest, after every file was found whole and no other file was found.

    Raises:
        PackageError: names the first file that is missing, damaged or not listed.
    """
    manifest = read_manifest(package)
    for name, digest in manifest["files"].items():
        path = package / name
        if not _is_regular(path):
            raise PackageError(f"{path} is missing", remedy=_REMEDY)
        try:
            actual = hash_file(path)
        except OSError as error:
            raise PackageError(f"{path} cannot be read: {error.strerror}", remedy=_REMEDY) from error
        if actual != digest:
            raise PackageError(f"{path} is damaged: its content is not what was written", remedy=_REMEDY)
    if stranger := next(_unlisted(package, manifest), ""):
        raise PackageError(
            f"{package / stranger} is not part of the package: its manifest does not list it",
            remedy="remove it, or deploy the model again into an empty directory",
        )
    return manifest


def ownership_problem(directory: Path) -> str:
    """Why a directory is not one that AIPC alone wrote, as a clause; "" when it is.

    It is when its manifest is one of ours and every file in it is listed there. Contents may differ: what AIPC wrote
    and something damaged is still replaced.
    """
    try:
        manifest = read_manifest(directory)
    except PackageError as error:
        return "it has no manifest of AIPC" if (directory / MANIFEST).exists() else error.what.rpartition(": ")[2]
    stranger = next(_unlisted(directory, manifest), "")
    return f"it holds {stranger}, which AIPC did not write" if stranger else ""


def manifest_problem(manifest: Mapping[str, Any]) -> str:
    """What is wrong with a manifest of this format, as a clause that names the key; "" when nothing is."""
    application = manifest.get("kind") == APPLICATION
    for key, check in (_REQUIRED_OF_AN_APPLICATION if application else _REQUIRED).items():
        if key not in manifest:
            return f"{key} is missing"
        if problem := check(manifest[key]):
            return f"{key} {problem}"
    for key, check in _OPTIONAL.items():
        if key in manifest and (problem := check(manifest[key])):
            return f"{key} {problem}"
    files = manifest["files"]
    if application:
        needed = ["run.py", GOLDEN_ANSWERS, *(f"graphs/{name}/{MANIFEST}" for name in manifest["graphs"])]
        return next((f"files does not list {name}" for name in needed if name not in files), "")
    entries = [manifest["entry"], *(context["entry"] for context in manifest.get("contexts", ()))]
    probes = [probe[key] for probe in manifest.get("golden_probes", ()) for key in ("inputs", "outputs")]
    for name in (*entries, INPUTS, OUTPUTS, *probes):
        if name not in files:
            return f"files does not list {name}"
    return ""


def path_problem(name: Any) -> str:
    """Why a name is not that of a file inside a package, as the end of a sentence."""
    if not isinstance(name, str) or not name:
        return "is not the name of a file"
    parts = name.split("/")
    if len(name) > 1000 or "\\" in name or ":" in name or not name.isprintable() or {"", ".", ".."} & set(parts):
        return f"{_shown(name)} is not the name of a file inside the package"
    return ""


def _unlisted(package: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What lies in a package and is neither listed, nor a directory of something listed, nor a regular file."""
    listed = {*manifest["files"], MANIFEST, *REPORTS}
    directories = {parent.as_posix() for name in listed for parent in Path(name).parents}
    for root, folders, names in os.walk(package):
        for name in sorted(names):
            path = Path(root) / name
            inside = path.relative_to(package).as_posix()
            if inside not in listed or not _is_regular(path):
                yield inside
        for name in sorted(folders):
            path = Path(root) / name
            inside = path.relative_to(package).as_posix()
            if inside not in directories or path.is_symlink():
                yield inside


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _read_regular(path: Path) -> str:
    """The text of a regular file of a manifest's size. A pipe or a device, which may never end, is not read."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > _MOST_BYTES:
        raise ValueError(f"it has {status.st_size} bytes")
    return path.read_text("utf-8")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "is not a text"
    return "" if len(value) <= 1000 and value.isprintable() else "is not one line of text"


def _any_text(value: Any) -> str:
    return "" if value == "" else _text(value)


def _integer(least: int) -> Check:
    def check(value: Any) -> str:
        return "" if type(value) is int and value >= least else f"is {_shown(value)}, not an integer from {least}"

    return check


def _number(value: Any) -> str:
    # math.isfinite raises for an integer beyond all floats.
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return "" if fine else f"is {_shown(value)}, not a number"


def _not_negative(value: Any) -> str:
    return _number(value) or ("" if value >= 0 else f"is {_shown(value)}, which everything passes")


def _list_of(check: Check, least: int = 0) -> Check:
    def checked(value: Any) -> str:
        if not isinstance(value, list):
            return "is not a list"
        if len(value) < least:
            return "is empty"
        return next((f"[{number}] {text}" for number, item in enumerate(value) if (text := check(item))), "")

    return checked


def _object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def checked(value: Any) -> str:
        if not isinstance(value, dict):
            return "is not an object"
        for key, check in required.items():
            if key not in value:
                return f"has no {key}"
            if text := check(value[key]):
                return f"{key} {text}"
        for key, check in (optional or {}).items():
            if key in value and (text := check(value[key])):
                return f"{key} {text}"
        return ""

    return checked


def _mapping(value: Any) -> str:
    return "" if isinstance(value, dict) else "is not an object"


def _or_none(check: Check) -> Check:
    return lambda value: "" if value is None else check(value)


def _pattern(pattern: re.Pattern[str], what: str) -> Check:
    def check(value: Any) -> str:
        fine = isinstance(value, str) and pattern.fullmatch(value)
        return "" if fine else f"is {_shown(value)}, not {what}"

    return check


def _files(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return "is not a table of files and their SHA-256"
    for name, digest in value.items():
        if problem := path_problem(name):
            return problem
        if name == MANIFEST or name in REPORTS:
            return f"lists {name}"
        if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            return f"has no SHA-256 for {name}"
    return ""


def _gates(value: Any) -> str:
    if not isinstance(value, dict):
        return "is not an object"
    for name, gate in value.items():
        if problem := _mapping(gate):
            return f"{_shown(name)} {problem}"
        # JSON has no infinity: an SQNR of equal outputs is written as "inf".
        for key in ("value", "threshold"):
            number = gate.get(key)
            if number not in (None, "inf", "-inf", "nan") and (problem := _number(number)):
                return f"{_shown(name)} {key} {problem}"
        threshold = gate.get("threshold")
        judged = name == "verify" and gate.get("metric") == "sqnr_db" and "threshold" in gate
        if judged and (problem := _not_negative(threshold)):
            return f"{_shown(name)} threshold {problem}"
    return ""


def _deployments(value: Any) -> str:
    if not isinstance(value, dict):
        return "is not an object"
    return next((f"{_shown(name)} {text}" for name, item in value.items() if (text := _mapping(item))), "")


def _unique_names(check: Check) -> Check:
    def checked(value: Any) -> str:
        if problem := check(value):
            return problem
        names = [item["name"] for item in value]
        return "" if len(set(names)) == len(names) else "has a name twice"

    return checked


_ENCODING = _object({"dtype": _pattern(_DTYPE, "a dtype"), "scale": _number, "zero_point": _number})
_SPEC = _object(
    {"name": _text, "dtype": _pattern(_DTYPE, "a dtype"), "shape": _list_of(_integer(1))},
    {"encoding": _ENCODING},
)
_SPECS = _unique_names(_list_of(_SPEC, least=1))
_SOC_NAME = _pattern(_SOC, "the name of a chip")
_GOLDEN_PROBE = _object({"title": _text, "inputs": path_problem, "outputs": path_problem, "sqnr_db": _not_negative})
_KEY = _pattern(_DIGEST, "the key of a capture")
_OF_A_CHIP: Mapping[str, Check] = {
    "soc": _SOC_NAME,
    "soc_model": _integer(0),
    "htp_arch": _integer(0),
    "qairt": _any_text,
    "entry": path_problem,
}
_OPTIONAL_OF_A_CHIP: Mapping[str, Check] = {
    "vtcm_mb": _or_none(_integer(0)),
    "soc_names": _list_of(_text),
    "cpu_nodes": _list_of(lambda value: ""),
    "capture": _KEY,
    "gates": _gates,
}
_REQUIRED: Mapping[str, Check] = {
    "model": _text,
    "precision": _text,
    **_OF_A_CHIP,
    "inputs": _SPECS,
    "outputs": _SPECS,
    "self_test_sqnr_db": _not_negative,
    "files": _files,
}
_REQUIRED_OF_AN_APPLICATION: Mapping[str, Check] = {
    "application": _text,
    "family": _text,
    "program": _text,
    "precision": _text,
    **{key: check for key, check in _OF_A_CHIP.items() if key != "entry"},
    "graphs": _list_of(path_problem, least=1),
    "host": _mapping,
    "files": _files,
}
_OPTIONAL: Mapping[str, Check] = {
    **_OPTIONAL_OF_A_CHIP,
    "reference": _text,
    "other_socs": _list_of(_text),
    "runner": _integer(1),
    "deployments": _deployments,
    "quantization": _mapping,
    "verified_on": _list_of(_mapping),
    "golden_probes": _list_of(_GOLDEN_PROBE),
    "contexts": _list_of(_object(_OF_A_CHIP, _OPTIONAL_OF_A_CHIP), least=1),
}
