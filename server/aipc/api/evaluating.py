"""``aipc.evaluate``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from aipc import engine
from aipc.core.types import Event
from aipc.evaluation.evaluation_report import EvaluationReport
from aipc.progress import shown


def evaluate(
    package: str | Path,
    data: str,
    *,
    metric: str | None = None,
    decode: str | None = None,
    preprocess: str | None = None,
    count: int = 64,
    seed: int = 0,
    target: str | None = None,
    most_loss: float | None = None,
    worst: int = 12,
    use_cache: bool = True,
    progress: bool | Callable[[Event], None] = False,
    cancel: threading.Event | None = None,
) -> EvaluationReport:
    """Measure a task metric of a package on labelled data, with PyTorch on the same samples beside it.

    Args:
        package: the directory that ``deploy`` wrote.
        data: a folder with a subfolder of pictures for each class, an .npz with an array ``target``, or
            ``file.py:name`` of (input, target). Of an application: a folder of .wav files, each with its words in a
            .txt of the same name, or ``file.py:name`` of (path or prompt, text).
        metric: top-1, top-5, psnr, ssim, miou, map, wer, perplexity, or ``file.py:name`` of (outputs, target). Default:
            top-1 of a model, wer of an application.
        decode: ``file.py:name``, a function of the outputs whose result the metric takes.
        preprocess: unit, symmetric, imagenet or ``file.py:name``. Default: the configuration's.
        count, seed: how many samples are drawn, and which.
        target: where the package runs. Default: simulator.
        worst: worst samples on the report page.
        most_loss: what the package may lose before ``ok`` is False, in the metric's unit.

    Raises:
        InputError: the data, the metric or the package do not fit.
    """
    with shown(progress) as on_event:
        request = engine.EvaluationRequest(
            package=Path(package).expanduser(),
            data=data,
            metric=metric,
            decode=decode,
            preprocess=preprocess,
            count=count,
            seed=seed,
            target=target,
            most_loss=most_loss,
            worst=worst,
            use_cache=use_cache,
        )
        return engine.evaluate(request, None, on_event, cancel)
