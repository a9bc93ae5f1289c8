"""Labelled samples of applications on disk: sound files or prompts, and the text that is right beside each."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.core.types import Event
from aipc.quantize.calibrate.sources import open_source

from .data import divided, save_target
from .evaluation_report import PreparedData

_REMEDY = (
    "give a folder of .wav files, each with its words in a .txt of the same name, or file.py:name of (sample, text)"
)


def prepare_answers(
    report: Callable[[Event], None], *, data: str, root: str, count: int, seed: int, chunk: int, out: str
) -> PreparedData:
    """Write ``count`` samples, drawn by ``seed``, into ``out``/000 … of ``chunk`` samples each.

    Raises:
        InputError: the data cannot be read, or an item is no pair of a sound file or a prompt and a text.
    """
    pairs, total, note = _opened(data, Path(root), seed)
    written = 0
    for sample, text in pairs:
        if written == count:
            break
        folder = Path(out) / f"{written // chunk:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        path = Path(root) / Path(sample)
        if path.suffix.lower() == ".wav":
            if not path.is_file():
                raise InputError(f"there is no file {path}", remedy=_REMEDY)
            shutil.copyfile(path, folder / f"{written:05d}.wav")
        else:
            (folder / f"{written:05d}.txt").write_text(str(sample), "utf-8")
        save_target(folder / f"target-{written:05d}", text)
        written += 1
        report(Event("evaluate", f"reading sample {written} of {count}", written / count))
    if not written:
        raise InputError(f"{data} has no sample", remedy=_REMEDY)
    return PreparedData(samples=written, total=total, description=note)


def _opened(data: str, root: Path, seed: int) -> tuple[Iterator[tuple[str, str]], int | None, str]:
    draw = random.Random(seed)
    path = root / Path(data).expanduser()
    if ".py:" not in data:
        recordings = sorted(item for item in path.rglob("*.wav") if item.with_suffix(".txt").is_file())
        if not recordings:
            raise InputError(f"{data} is no labelled data of an application", remedy=_REMEDY)
        draw.shuffle(recordings)
        texts = ((str(item), item.with_suffix(".txt").read_text("utf-8").strip()) for item in recordings)
        return texts, len(recordings), f"{len(recordings)} sound files in {path.name}"
    source = open_source(data, root, (), seed)
    chosen = None
    if source.total is not None:
        chosen = list(range(source.total))
        draw.shuffle(chosen)
    return (_pair(item) for item in source.items(chosen)), source.total, source.description


def _pair(item: Any) -> tuple[str, str]:
    sample, text = divided(item)
    if not isinstance(sample, (str, Path)) or not isinstance(text, str):
        raise InputError(
            f"an item is a pair of {type(sample).__name__} and {type(text).__name__}, not a path or prompt and a text",
            remedy=_REMEDY,
        )
    return str(sample), text
