"""The user's own samples and a part of the calibration data, as input sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from aipc.core.config import ModelRef
from aipc.core.errors import InputError
from aipc.core.types import TensorSpec
from aipc.quantize.calibrate.preprocessing import Arrays, Preprocessing
from aipc.quantize.calibrate.sources import open_source

_LIMIT = 64
"""Items of a source without an end that are read at most."""


def samples(
    text: str, ref: ModelRef, inputs: Sequence[TensorSpec], preprocess: str | None, count: int | None
) -> Iterator[tuple[str, Arrays]]:
    """(title, arrays) of up to ``count`` samples of a folder, an array file or ``file.py:name``, in their order.

    Raises:
        InputError: there is no such data, or it does not fit the model.
    """
    source = open_source(text, ref.root, inputs, 0)
    preprocessing = Preprocessing(preprocess, ref.root, inputs, images=source.images)
    wanted = None if source.total is None else list(range(source.total if count is None else min(count, source.total)))
    number = 0
    for place, item in enumerate(islice(source.items(wanted), _LIMIT if count is None else count), 1):
        for arrays in preprocessing.samples(item, place):
            number += 1
            yield f"sample {number} of {text}", arrays
    if not number:
        raise InputError(f"the samples {text} are empty", remedy="put samples into it or name another")
