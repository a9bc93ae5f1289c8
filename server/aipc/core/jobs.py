"""A job: what a worker process runs, named so that naming it imports nothing heavy."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Job(Generic[R]):
    """A function that runs in a process of its own: ``def job(report, **arguments) -> result``.

    Every package lists its jobs in its module ``worker_jobs``. Two jobs are equal when they run the same function.

    Args:
        target: ``package.module:function``.
        result: the type of its result.
        runs_author_code: it executes Python that the project or somebody else wrote: a model, a data loader, a
            metric, a package's runner. A confined pool confines it (see ``agent.confined_pool``). It is so unless it
            is said otherwise.
    """

    target: str
    result: type[R] = field(compare=False)
    runs_author_code: bool = field(default=True, kw_only=True, compare=False)

    @property
    def name(self) -> str:
        """The function's name."""
        return self.target.rpartition(":")[2]

    def resolve(self) -> Callable[..., R]:
        """The function itself; imports its module.

        Raises:
            ImportError, AttributeError: there is no such function.
        """
        module, _, function = self.target.partition(":")
        function_of_job: Callable[..., R] = getattr(importlib.import_module(module), function)
        return function_of_job


AnyJob = Job[Any]
