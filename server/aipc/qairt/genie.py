"""Genie, Qualcomm's runtime for language models, on this computer: onnxruntime-qnn's wheel for Linux brings it.

Its HTP backend is the simulator here, as it is onnxruntime's. The calls are those of ``GenieDialog.h`` (QAIRT 2.51, API
1.21). A native abort is likely where a binary does not fit the configuration: only ever in a worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from aipc.core.errors import MissingDependencyError, QairtError

_WHOLE = 0
"""GENIE_DIALOG_SENTENCE_COMPLETE: the query is not cut into parts."""
_TOKENS = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32, ctypes.c_int, ctypes.c_void_p)


def genie_library() -> Path | None:
    """Path of ``libGenie.so``; None where onnxruntime-qnn brings none."""
    import importlib.util

    spec = importlib.util.find_spec("onnxruntime_qnn")
    places = spec.submodule_search_locations if spec else None
    path = Path(next(iter(places or [""]))) / "libGenie.so"
    return path if path.is_file() else None


class Dialog:
    """One dialog. Paths in its configuration are relative to ``directory``.

    Args:
        config: the text of ``genie_config.json``.

    Raises:
        MissingDependencyError: there is no Genie on this computer.
        QairtError: Genie refuses the configuration or cannot load the binaries; its own words are in the job's log.
    """

    def __init__(self, config: str, directory: Path) -> None:
        path = genie_library()
        if path is None:
            raise MissingDependencyError(
                "there is no libGenie.so here", remedy="Genie comes with onnxruntime-qnn for Linux on x86-64"
            )
        self._library = ctypes.CDLL(str(path))
        self._directory = directory
        self._config, self._dialog = ctypes.c_void_p(), ctypes.c_void_p()
        with contextlib.chdir(directory) if hasattr(contextlib, "chdir") else _working_in(directory):
            self._call("GenieDialogConfig_createFromJson", config.encode(), ctypes.byref(self._config))
            self._call("GenieDialog_create", self._config, ctypes.byref(self._dialog))

    def __enter__(self) -> Dialog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.GenieDialog_free(self._dialog)
        self._library.GenieDialogConfig_free(self._config)

    def answer(self, prompt: Sequence[int], on_token: Callable[[int], None] | None = None) -> tuple[int, ...]:
        """The tokens that follow ``prompt``, as the configuration samples them; the dialog forgets them afterwards."""
        tokens: list[int] = []

        @_TOKENS  # type: ignore[untyped-decorator]
        def receive(text: Any, count: int, code: int, user: Any) -> None:
            for index in range(count):
                tokens.append(int(text[index]))
                if on_token:
                    on_token(tokens[-1])

        array = (ctypes.c_uint32 * len(prompt))(*prompt)
        self._call("GenieDialog_tokenQuery", self._dialog, array, ctypes.c_uint32(len(prompt)), _WHOLE, receive, None)
        self._call("GenieDialog_reset", self._dialog)
        return tuple(tokens)

    def _call(self, name: str, *arguments: Any) -> None:
        function = getattr(self._library, name)
        function.restype = ctypes.c_int32
        status = function(*arguments)
        if status < 0 or status > 1000 or (status and name != "GenieDialog_tokenQuery"):
            raise QairtError(f"Genie's {name} ended with status {status}", remedy="see the job's log for its own words")


@contextlib.contextmanager
def _working_in(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
