"""Keeps secrets out of traces and out of prompts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_LEAST = 8
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bhf_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"
    r"|(?i:bearer) [A-Za-z0-9._~+/-]{16,}=*",
    re.DOTALL,
)
HIDDEN = "[secret]"


def redactor(secrets: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A function that hides these secrets, those of the environment, and whatever looks like a key."""
    known = {item for item in secrets if len(item) >= 4}
    for name, value in (os.environ if environment is None else environment).items():
        if _NAMES.search(name) and len(value) >= _LEAST and not value.startswith(("/", "~")):
            known.add(value)
    ordered = sorted(known, key=len, reverse=True)

    def redact(text: str) -> str:
        for item in ordered:
            text = text.replace(item, HIDDEN)
        return _SHAPES.sub(HIDDEN, text)

    return redact


def redacted(value: Any, redact: Callable[[str], str]) -> Any:
    """Plain data with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {name: redacted(item, redact) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item, redact) for item in value]
    return value
