"""Explain: what a finding's code means, and the ways out of it that AIPC knows."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aipc.core.errors import InputError
from aipc.core.rules import RULES
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.qairt.explain import phrases
from aipc.rewrites import worker_jobs as rewrites_jobs
from aipc.rewrites.choices import CHOICES

from ._run import OnEvent


@dataclass(frozen=True, slots=True)
class Meaning:
    """``{op}`` in the message is the ONNX operator, ``{soc}`` the chip, ``{0}`` a part of QAIRT's words."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """``rewrites``: rules that deploy applies by itself where they are proved; ``choices``: where none is exact."""

    rule: str
    meanings: tuple[Meaning, ...]
    rewrites: tuple[Mapping[str, Any], ...]
    choices: tuple[Mapping[str, Any], ...]


def meanings() -> dict[str, tuple[Meaning, ...]]:
    """Every code that a finding can have, with what it means."""
    meanings_by_code: dict[str, list[Meaning]] = {}
    for rule, message, remedy in phrases():
        meanings_by_code.setdefault(rule, []).append(Meaning(message, remedy))
    for item in RULES:
        meanings_by_code[item.code] = [Meaning(item.meaning, item.remedy)]
    return {code: tuple(dict.fromkeys(meanings_by_code[code])) for code in sorted(meanings_by_code)}


def explain(
    rule: str,
    op: str | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> RuleExplanation:
    """What the code of a finding means, and what can be done.

    Args:
        rule: a finding's code such as ``layernorm-axes``, or the code of a rewrite.
        op: the ONNX operator of the finding, for the rewrites that start from it.

    Raises:
        InputError: there is no such code.
    """
    known = meanings()
    with pool_or_new(pool) as workers:
        rewrites = workers.run(rewrites_jobs.DESCRIBE, {}, on_event=on_event, cancel=cancel)
    codes = {item["code"] for item in rewrites}
    if rule not in known and rule not in codes:
        near = difflib.get_close_matches(rule, {*known, *codes}, 3, 0.5)
        remedy = f"did you mean {', '.join(near)}?" if near else f"codes are {', '.join(known)}"
        raise InputError(f"{rule} is not the code of a finding", remedy=remedy)
    fitting = [
        item for item in rewrites if rule in (item["code"], *item["answers"]) or (op is not None and op in item["ops"])
    ]
    choices = [
        {"ops": item.ops, "reason": item.reason, "options": item.options}
        for item in CHOICES
        if (op is not None and op in item.ops) or rule in item.findings
    ]
    return RuleExplanation(rule, known.get(rule, ()), tuple(fitting), tuple(choices))
