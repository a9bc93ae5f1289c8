"""Let Genie answer from an application's bundle, for its verification."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from aipc.core.answers import Answer
from aipc.core.types import Event
from aipc.qairt.genie import Dialog

from .genie import CONFIG

Report = Callable[[Event], None]


def run_genie(report: Report, *, package: str, samples: Sequence[str]) -> tuple[Answer, ...]:
    """A worker's job: the answers of libGenie, on this computer's simulator, to prompts.

    Raises:
        QairtError: Genie refuses the bundle.
    """
    from tokenizers import Tokenizer

    folder = Path(package)
    host = json.loads((folder / "manifest.json").read_text("utf-8"))["host"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    answers = []
    with Dialog((folder / CONFIG).read_text("utf-8"), folder) as dialog:
        for number, sample in enumerate(samples):
            text = host["before"] + sample + host["after"]
            prompt = tokenizer.encode(text, add_special_tokens=not host["before"]).ids
            tokens = dialog.answer(prompt)
            if len(tokens) < host["tokens"] and host["end"]:
                tokens = (*tokens, host["end"][0])  # Genie leaves out the token that ends an answer
            answers.append(Answer(sample=sample, tokens=tokens, text=tokenizer.decode(list(tokens)).strip()))
            report(Event("genie", f"answer {number + 1} of {len(samples)}: {answers[-1].text}"))
    return tuple(answers)
