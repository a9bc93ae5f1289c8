"""Every error of ours comes out of a job as it was raised there."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import aipc.targets
from aipc.core import _messages
from aipc.core.errors import AipcError

for _module in pkgutil.iter_modules(aipc.targets.__path__, "aipc.targets."):
    if not _module.ispkg:
        importlib.import_module(_module.name)


def _classes(base: type[AipcError]) -> list[type[AipcError]]:
    return [base, *(item for sub in base.__subclasses__() for item in _classes(sub))]


@pytest.mark.parametrize(
    "error", [item for item in _classes(AipcError) if item.__module__.startswith(("aipc.core.errors", "aipc.targets"))]
)
def test_an_error_crosses_with_its_type_and_its_advice(error: type[AipcError]) -> None:
    try:
        raised = error("it went wrong", remedy="do this")
    except TypeError:
        pytest.skip("it is raised with words of its own")
    read = _messages.loads(_messages.dumps(raised))
    assert type(read) is error
    assert (read.what, read.remedy) == (raised.what, "do this")
