"""Options that several requests share, each described once."""

from __future__ import annotations

from .option import Option, PathKind, Switch

PRECISIONS = ("fp16", "w8a16", "w8a8", "w4a16", "mixed", "auto")

MODEL = Option(
    help="file.py:Name (an nn.Module class, an instance or a factory function; file.py where it has one model), a "
    "model configured in pyproject.toml, a .onnx file or a .pt2 file",
    path=PathKind.MODEL,
    metavar="MODEL",
    positional=True,
)
PACKAGE = Option(help="Directory that `aipc deploy` wrote", path=PathKind.INPUT, metavar="PACKAGE", positional=True)
SOC = Option(
    help="Snapdragon chip to compile for, such as sm8650; `aipc targets` lists them",
    default="sm8650",
    configured=True,
)
PRECISION = Option(
    help=f"Number format on the NPU: {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}",
    default="fp16",
    configured=True,
)
CALIBRATION = Option(
    help="Data to quantize with: a folder of images, an .npz or .npy file, file.py:name, or random",
    configured=True,
    agents="Reports say so where it is random.",
    metavar="DATA",
    path=PathKind.DATA,
)
CALIBRATION_COUNT = Option(help="Calibration samples to use", default="32", metavar="N", minimum=1, configured=True)
TARGET = Option(
    help="Where to run: simulator, or a device that `aipc targets` lists",
    default="simulator",
    configured=True,
    agents="A device asks the user first.",
)
SETUP = Option(
    help="Set the device up where it lacks something, in a directory of its own there",
    agents="The user is asked each time.",
)
NO_CACHE = Option(
    help="Do all the work again", switches=(Switch(name="no_cache", value=False, help="Do all the work again"),)
)
APPLY = Option(help="Write the changes to the source files")
OUT = Option(help="Where to write it", metavar="DIR", flags=("--out", "--output", "-o"), path=PathKind.OUTPUT)
