"""Errors for people: one sentence with what, where and what to do.

Raise them where the cause is known. Front doors print ``str(error)`` and exit with ``exit_status``;
a traceback is shown only with ``--debug``.
"""

from __future__ import annotations

from collections.abc import Mapping

from .types import Range


class AipcError(Exception):
    """Base of every error that a user may see.

    Args:
        what: what went wrong, in the author's terms, without a final period.
        remedy: what to do about it, as an imperative sentence, or "".
        range: where in the source, when known.
        detail: the original words (compiler, interpreter), kept for logs and ``--debug``.
    """

    exit_status = 2

    def __init__(self, what: str, *, remedy: str = "", range: Range | None = None, detail: str = "") -> None:
        self.what = what
        self.remedy = remedy
        self.range = range
        self.detail = detail
        super().__init__(what)

    def __str__(self) -> str:
        where = f"{self.range.file}:{self.range.start.line}: " if self.range else ""
        remedy = f" — {self.remedy}" if self.remedy else ""
        return f"{where}{self.what}{remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.remedy, self.range, self.detail))


def _rebuild(cls: type[AipcError], what: str, remedy: str, range: Range | None, detail: str) -> AipcError:
    return cls(what, remedy=remedy, range=range, detail=detail)


class ModelLoadError(AipcError):
    """The reference cannot be turned into a model (missing file, syntax error, wrong name, raising code)."""


class InputError(AipcError):
    """Example inputs are missing, malformed or do not fit the model."""


class NoInputsError(InputError):
    """No example inputs were found.

    Args:
        proposals: argument of ``forward`` -> dtype and shape that its code suggests, to be corrected by the author.
    """

    def __init__(
        self,
        what: str,
        *,
        remedy: str = "",
        range: Range | None = None,
        detail: str = "",
        proposals: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, remedy=remedy, range=range, detail=detail)
        self.proposals = dict(proposals or {})

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"proposals": self.proposals})


class UnknownSoCError(AipcError):
    """The SoC name or number is not one that QAIRT knows."""


class QairtError(AipcError):
    """QAIRT is missing or refused a graph as a whole."""


class MissingDependencyError(AipcError):
    """A library that the job needs is not installed; the remedy is the exact command that brings it."""


class ConfigError(AipcError):
    """``[tool.aipc]`` is malformed."""


class WorkerCrashedError(AipcError):
    """The worker process died (signal, out of memory) or exceeded its limits."""


class TimeLimitError(WorkerCrashedError):
    """A job did not finish within its limit and was stopped."""


class CancelledError(AipcError):
    """The user cancelled the job."""

    exit_status = 130


class PackageError(AipcError):
    """A package is damaged, incomplete, or made for another SoC or QAIRT."""


class StorageError(AipcError):
    """A directory is read-only, full, or locked by another process."""
