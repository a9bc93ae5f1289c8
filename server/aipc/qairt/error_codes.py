"""QNN's error codes in a user's terms: what each says of a package on a device, and what to do.

The codes, their names and QAIRT's own words are data (``error_codes.json``) that the library itself gave
(:func:`ask_codes`). What they mean for a package and the remedies are written here; a code without an entry keeps
QAIRT's words.
"""

from __future__ import annotations

import ctypes
import json
import re
from ctypes import POINTER, c_char_p, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.core.errors import QairtError

from .runtime import INSTALL, require_qairt

_CODES = range(1, 1 << 16)
# Place of errorGetMessage among the functions of QNN_INTERFACE_VER_TYPE (QnnInterface.h, core API 2.x).
_GET_MESSAGE = 48

_ANOTHER_VERSION = (
    "the device's QAIRT does not take this context binary: it was compiled by another version or for another chip",
    "compare both with `aipc targets`, then deploy again for this device or install the matching onnxruntime-qnn there",
)
_SKEL = (
    "the NPU's own library (libQnnHtpVxxSkel.so) does not fit the device's QAIRT or was not found",
    "put the skel of the same QAIRT version into ADSP_LIBRARY_PATH, before other directories",
)
_RESTART = (
    "the connection to the NPU's service broke off",
    "run again; if it stays, restart the device, and look for other programs that use the NPU",
)

_MEANINGS: dict[int, tuple[str, str]] = {
    1002: (
        "the NPU could not get the memory that the model needs, or one of its operators could not be built",
        "close other programs that use the NPU, make the inputs smaller or split the model; QAIRT's log has the cause",
    ),
    1003: ("the device's system refused a service that the NPU needs", "restart the device and run again"),
    1006: (
        "the device's system or chip is not one that this QAIRT runs on",
        "check with `aipc targets` which chip it is, and that its QAIRT is for this operating system",
    ),
    1007: _RESTART,
    1008: _SKEL,
    1009: ("QAIRT's libraries were loaded twice", "run again in a process of its own"),
    1010: ("the NPU is taken by others", "close other programs that use the NPU and run again"),
    1011: _RESTART,
    4000: (
        "QAIRT cannot start the NPU: its drivers or libraries are missing, or access is not allowed",
        "check that the device has an NPU driver (libcdsprpc) and that ADSP_LIBRARY_PATH leads to the skel library",
    ),
    4010: _ANOTHER_VERSION,
    5000: _ANOTHER_VERSION,
    5004: _ANOTHER_VERSION,
    5005: _ANOTHER_VERSION,
    5008: _ANOTHER_VERSION,
    5010: (
        "the package asks for a setting that the device's QAIRT does not know",
        "install the onnxruntime-qnn that the package was compiled with, or deploy again",
    ),
    5011: (
        "the context binary was compiled for a lesser chip than this one and is refused as not the best for it",
        "deploy the model for this device's own chip",
    ),
    6022: ("QAIRT could not build the graph", "run `aipc check` to see which expressions are responsible"),
    6033: ("the NPU did not finish in time", "run again; if it stays, other programs may hold the NPU"),
    8003: ("memory could not be mapped to the NPU", "free memory on the device and run again"),
    14001: (
        "the NPU refused the session: most often its skel library was not found or is of another QAIRT version",
        "put the skel of the same QAIRT version into ADSP_LIBRARY_PATH, and check that the chip is the package's",
    ),
    14002: ("the device's NPU cannot be reached", "check its driver, and that no other program holds the NPU"),
    14004: (
        "the device does not let this user use the NPU",
        "run as a user with access to /dev/fastrpc-cdsp (the shell of adb has it), or ask the device's maker",
    ),
}

# What logs say instead of a code: of the transport to the NPU (messages of libQnnHtp's DSP transport).
_WORDS = (
    (re.compile(r"Failed to load skel|skel.*not found|qnn_open failed", re.I), 1008),
    (re.compile(r"Failed to create transport", re.I), 14001),
)
_NAME = re.compile(r"\bQNN_[A-Z_]*ERROR_[A-Z_]+\b")
_NUMBER = re.compile(
    r"\b(?:err(?:or)?|error[ _]?code|status(?:[ _]code)?|result|code)\b[^\w\n]{0,4}(0x[0-9a-f]{3,16}|\d{4,5})\b",
    re.I,
)
_GENERAL = frozenset({1002, 1100, 1003})
"""Codes that stand beside a more telling one as often as alone."""


@dataclass(frozen=True, slots=True)
class QnnError:
    """One code. ``text`` is QAIRT's own; ``meaning`` and ``remedy`` are for the user."""

    code: int
    name: str
    text: str
    meaning: str
    remedy: str

    @property
    def translated(self) -> bool:
        """Whether there is more to say of it than QAIRT's own words."""
        return self.code in _MEANINGS

    @property
    def sentence(self) -> str:
        return f"{self.meaning} (QNN error {self.code}, {self.name})"


@lru_cache(maxsize=1)
def all_codes() -> dict[int, QnnError]:
    """Every code that QAIRT names."""
    data = json.loads(Path(__file__).with_name("error_codes.json").read_text("utf-8"))
    errors = {}
    for key, text in data["codes"].items():
        name, _, text_of_code = text.partition(": ")
        meaning, remedy = _MEANINGS.get(int(key), (text_of_code.rstrip(".").lower(), "see QAIRT's log with --debug"))
        errors[int(key)] = QnnError(int(key), name, text_of_code, meaning, remedy)
    return errors


def find_errors(text: str) -> tuple[QnnError, ...]:
    """The QNN errors that a log, a message or a program's output speaks of, the most telling first.

    Names and numbers are found (decimal or hexadecimal; of a 64-bit handle the lower 16 bits are the code).
    """
    codes = all_codes()
    names = {error.name: code for code, error in codes.items()}
    places: dict[int, int] = {}
    for match in _NAME.finditer(text):
        if match[0] in names:
            places.setdefault(names[match[0]], match.start())
    for match in _NUMBER.finditer(text):
        code = int(match[1], 0) & 0xFFFF
        if code in codes:
            places.setdefault(code, match.start())
    for pattern, code in _WORDS:
        if spoken := pattern.search(text):
            places.setdefault(code, spoken.start())
    order = sorted(places, key=lambda code: (code in _GENERAL, code not in _MEANINGS, places[code]))
    return tuple(codes[code] for code in order)


def explain_failure(text: str) -> QnnError | None:
    """The most telling QNN error in ``text``, None when it names none."""
    return next(iter(find_errors(text)), None)


class _Version(ctypes.Structure):
    _fields_ = [("major", c_uint32), ("minor", c_uint32), ("patch", c_uint32)]


class _Interface(ctypes.Structure):
    _fields_ = [
        ("backend", c_uint32),
        ("provider", c_char_p),
        ("core_api", _Version),
        ("backend_api", _Version),
        ("functions", c_void_p * (_GET_MESSAGE + 1)),
    ]


def ask_codes() -> dict[str, Any]:
    """What the installed QAIRT's HTP library says of every error code: the content of ``error_codes.json``.

    Native code is loaded: call it in a process of its own.
    """
    import onnxruntime_qnn

    version = require_qairt()
    library = ctypes.CDLL(onnxruntime_qnn.get_qnn_htp_path())
    providers, count = POINTER(POINTER(_Interface))(), c_uint32()
    if library.QnnInterface_getProviders(ctypes.byref(providers), ctypes.byref(count)) or not count.value:
        raise QairtError("QAIRT's HTP library offers no interface", remedy=f"run {INSTALL}")
    interface = providers[0].contents
    get_message = ctypes.CFUNCTYPE(c_uint64, c_uint64, POINTER(c_char_p))(interface.functions[_GET_MESSAGE])
    codes: dict[str, str] = {}
    for code in _CODES:
        message = c_char_p()
        if get_message(code, ctypes.byref(message)) == 0 and message.value:
            codes[str(code)] = message.value.decode("utf-8")
    return {"qairt": version, "source": "QnnError_getMessage of libQnnHtp", "codes": codes}
