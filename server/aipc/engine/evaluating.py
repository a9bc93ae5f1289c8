"""Evaluate a package on labelled data, PyTorch beside it. A run that was ended goes on where it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aipc.core import plain_data
from aipc.core.cache import Cache
from aipc.core.config import ModelRef, load_config, resolve_model
from aipc.core.errors import AipcError, InputError
from aipc.core.hashing import hash_file, hash_value
from aipc.core.jobs import AnyJob
from aipc.core.names import state_path
from aipc.core.package_manifest import APPLICATION, MANIFEST, check_package
from aipc.core.requests import EvaluationRequest
from aipc.core.types import Event, TensorSpec
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.evaluation.evaluation_report import EvaluationReport, PreparedData, Scores
from aipc.evaluation.worker_jobs import CHECK_METRIC, PREPARE, PREPARE_ANSWERS, SCORE
from aipc.quantize.worker_jobs import REFERENCE
from aipc.report.evaluation import render_evaluation

from ._run import OnEvent, ignore
from .evaluating_applications import answer_samples, row, sample_files
from .samples import run_samples

CHUNK = 8
"""Samples that are run together: what an interruption costs at most."""
METRIC = "top-1"
_VERSION = 1


def evaluate(
    request: EvaluationRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> EvaluationReport:
    """The metric of PyTorch and of the package on the same samples.

    Raises:
        InputError: the data, the metric or the package do not fit.
    """
    package = request.package.resolve()
    manifest = check_package(package)
    config = load_config(package)
    application = manifest.get("kind") == APPLICATION
    report = on_event or ignore
    with pool_or_new(pool) as workers:

        def job(name: AnyJob, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        preprocess, reference = None, "PyTorch"
        metric = request.metric or ("wer" if application else METRIC)
        job(CHECK_METRIC, metric=metric, decode=request.decode, root=str(config.root))
        if application:
            directory = _directory(request, manifest, package, config.root, None)
            prepared = _prepare_answers(job, request, config.root, directory)
            answer_samples(package, manifest, config, directory, request.target or "simulator", workers, report, cancel)
            rows = [row(path) for folder in _parts(directory) for path in sample_files(folder)]
        else:
            ref = model_of(manifest, config.root)
            preprocess = request.preprocess or (ref.config.preprocess if ref and ref.config else None)
            directory = _directory(request, manifest, package, config.root, preprocess)
            reference = "PyTorch" if ref and ref.runs_pytorch else "the fp32 graph on the CPU"
            capture = captured_graph(manifest)
            prepared = _prepare(job, request, manifest, config.root, preprocess, directory)
            folders = _parts(directory)
            for number, folder in enumerate(folders):
                last = min((number + 1) * CHUNK, prepared.samples)
                note = f"samples {number * CHUNK + 1} to {last} of {prepared.samples}"
                report(Event("evaluate", note, number / len(folders)))
                if not (folder / "done").exists():
                    live = ref or ModelRef(manifest["model"], "captured", capture, None, None, None, config.root)
                    job(REFERENCE, ref=live, capture=str(capture), samples=str(folder))
                    pairs = [(path, folder / f"output-{path.name}") for path in _inputs(folder)]
                    run_samples(package, pairs, request.target or "simulator", workers, on_event, cancel)
                    (folder / "done").touch()
            rows = [_row(path) for folder in folders for path in _inputs(folder)]
        scores: Scores = job(
            SCORE,
            samples=rows,
            metric=metric,
            decode=request.decode,
            root=str(config.root),
            seed=request.seed,
            worst=request.worst,
        )
    loss = -scores.difference if scores.more_is_better else scores.difference
    result = EvaluationReport(
        package=str(package),
        model=manifest["model"],
        soc=manifest["soc"],
        precision=manifest["precision"],
        target=request.target or "simulator",
        data=request.data,
        data_words=prepared.description,
        total=prepared.total,
        seed=request.seed,
        reference=reference,
        scores=scores,
        ok=request.most_loss is None or loss <= request.most_loss,
        most_loss=request.most_loss,
        directory=str(directory),
    )
    (directory / "evaluation.json").write_text(plain_data.dumps(result), "utf-8")
    (directory / "evaluation.html").write_text(render_evaluation(result), "utf-8")
    return result


def captured_graph(manifest: Mapping[str, Any]) -> Path:
    """The captured graph in the cache. Raises InputError: it is gone."""
    entry = Cache().get(manifest["capture"])
    if entry is None:
        raise InputError(
            f"the capture of {manifest['model']} is no longer in the cache, and PyTorch is run with it",
            remedy="deploy the model again",
        )
    return entry.path


def _parts(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "samples").iterdir() if path.is_dir())


def model_of(manifest: dict[str, Any], root: Path) -> ModelRef | None:
    """The model of a package, where it is still there; a live module's is not."""
    try:
        return resolve_model(manifest["reference"], root, load_config(root))
    except AipcError:
        return None


def _directory(
    request: EvaluationRequest, manifest: dict[str, Any], package: Path, root: Path, preprocess: str | None
) -> Path:
    """Of this evaluation: the same package, data and number of samples go on with what is there."""
    key = hash_value(
        {
            "version": _VERSION,
            "package": hash_file(package / MANIFEST),
            "files": manifest["files"],
            "data": [request.data, _stamp(root, request.data)],
            "preprocess": [preprocess, _stamp(root, preprocess or "")],
            "count": request.count,
            "seed": request.seed,
            "target": request.target or "simulator",
        }
    )
    directory = state_path(root, "evaluations", f"{manifest['model']}-{manifest['soc']}-{key[:12]}")
    if not request.use_cache:
        import shutil

        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _stamp(root: Path, text: str) -> str:
    """Content of the file that is named, or the names, sizes and times in the folder."""
    path = root / Path(text.rpartition(":")[0] if ".py:" in text else text).expanduser()
    if path.is_file():
        return hash_file(path)
    if text and path.is_dir():
        states = ((item, item.stat()) for item in sorted(path.rglob("*")) if item.is_file())
        return hash_value([[str(item.relative_to(path)), state.st_size, state.st_mtime_ns] for item, state in states])
    return ""


def _prepare(
    job: Callable[..., Any],
    request: EvaluationRequest,
    manifest: dict[str, Any],
    root: Path,
    preprocess: str | None,
    directory: Path,
) -> PreparedData:
    """Write the samples, unless a run before did so to its end."""
    marker = directory / "samples.json"
    if marker.is_file():
        return plain_data.loads(marker.read_text("utf-8"), PreparedData)
    prepared: PreparedData = job(
        PREPARE,
        root=str(root),
        inputs=tuple(TensorSpec(item["name"], item["dtype"], tuple(item["shape"])) for item in manifest["inputs"]),
        data=request.data,
        preprocess=preprocess,
        count=request.count,
        seed=request.seed,
        chunk=CHUNK,
        out=str(directory / "samples"),
    )
    marker.write_text(plain_data.dumps(prepared), "utf-8")
    return prepared


def _prepare_answers(job: Callable[..., Any], request: EvaluationRequest, root: Path, directory: Path) -> PreparedData:
    """The same for an application, whose samples are sound files and prompts."""
    marker = directory / "samples.json"
    if marker.is_file():
        return plain_data.loads(marker.read_text("utf-8"), PreparedData)
    prepared: PreparedData = job(
        PREPARE_ANSWERS,
        data=request.data,
        root=str(root),
        count=request.count,
        seed=request.seed,
        chunk=CHUNK,
        out=str(directory / "samples"),
    )
    marker.write_text(plain_data.dumps(prepared), "utf-8")
    return prepared


def _inputs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*.npz") if ".reference" not in path.name)


def _row(path: Path) -> tuple[str, str, str, str]:
    """Files of one sample: inputs, PyTorch's outputs, the package's, target."""
    return (
        str(path),
        str(path.with_suffix(".reference.npz")),
        str(path.with_name(f"output-{path.name}")),
        str(path.with_name(f"target-{path.stem}")),
    )
