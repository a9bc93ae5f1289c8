"""What a job sends: read without running anything of the job's.

A job runs the author's code, and unpickling what that may have written would let it run code in the front process. So
only data types of ours, errors, paths and plain containers are made; anything else is refused by name.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import io
import pickle
from typing import Any

_PLAIN = {
    ("aipc.core.errors", "_rebuild"),
    ("aipc.targets.base", "_rebuild"),
    *(("builtins", name) for name in ("int", "float", "bool", "str", "bytes", "complex")),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("builtins", "bytearray"),
    ("collections", "OrderedDict"),
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    ("pathlib", "PurePosixPath"),
    ("pathlib", "PureWindowsPath"),
    # Where Python keeps the classes from 3.13 on.
    ("pathlib._local", "PosixPath"),
    ("pathlib._local", "WindowsPath"),
}


def loads(message: bytes) -> Any:
    """The value of a message.

    Raises:
        pickle.UnpicklingError: it holds something else than data.
    """
    return _Reader(io.BytesIO(message)).load()


def dumps(value: Any) -> bytes:
    """A value as a message; numbers of NumPy become Python's."""
    stream = io.BytesIO()
    _Writer(stream).dump(value)
    return stream.getvalue()


class _Writer(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 and hasattr(value, "item"):
            plain = value.item()
            return type(plain), (plain,)
        return NotImplemented


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        parts = module.split(".")
        # Importing a private module may do something: the fork server's do. Those of the targets define errors.
        private = any(part.startswith("_") for part in parts) and parts[:2] != ["aipc", "targets"]
        if parts[0] == "aipc" and not private and name.isidentifier():
            value = getattr(importlib.import_module(module), name, None)
            if isinstance(value, type) and value.__module__ == module and _is_data(value):
                return value
        raise pickle.UnpicklingError(f"{module}.{name} is no type of data")


def _is_data(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, (enum.Enum, Exception))
