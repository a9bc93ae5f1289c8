"""Arguments and options that several commands share, so that each is spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="file.py:Name, a model configured in pyproject.toml, a .onnx file or a .pt2 file.",
        show_default=False,
    ),
]
Package = Annotated[
    Path,
    typer.Argument(metavar="PACKAGE", help="Directory that `aipc deploy` wrote.", show_default=False),
]
SoC = Annotated[
    str | None,
    typer.Option("--soc", help="Chip to compile for, such as sm8650. Default: the configuration's."),
]
SoCs = Annotated[
    str | None,
    typer.Option("--soc", help="Chip to compile for, such as sm8650; several with commas make one package for all."),
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", help="Number format on the NPU. Default: the configuration's, else fp16."),
]
Calibration = Annotated[
    str | None,
    typer.Option(
        "--calibration",
        metavar="DATA",
        help="Data to quantize with: a folder of images, an .npz or .npy file, file.py:name, or random. "
        "Default: the configuration's.",
    ),
]
CalibrationCount = Annotated[
    int | None,
    typer.Option("--calibration-count", min=1, metavar="N", help="Calibration samples to use. Default: 32."),
]
Target = Annotated[
    str | None,
    typer.Option("--target", help="Where to run. Default: the configuration's, else simulator."),
]
Setup = Annotated[
    bool,
    typer.Option("--setup", help="Set the device up where it lacks something, in a directory of its own."),
]
Agree = Annotated[
    list[str] | None,
    typer.Option(
        "--agree",
        metavar="WHAT",
        help="Take changes that are not shown to be equal: approximate (another result, its error measured) or "
        "specialized (not compared on some inputs). Without it you are asked.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the full logs of what fails.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do all the work again.")]
TimeLimit = Annotated[
    float,
    typer.Option("--time-limit", "--timeout", min=0.1, metavar="SECONDS", help="Stop a step that takes longer."),
]
MemoryLimit = Annotated[
    int,
    typer.Option(
        "--memory-limit",
        min=0,
        metavar="MIB",
        help="Stop a step that uses more memory; 0: 85 % of the machine.",
    ),
]


def from_here(text: str | None) -> str | None:
    """A path of the command line as an absolute one: the configuration's are relative to its file, these to here."""
    if not text or text == "random":
        return text
    file, separator, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    path = Path(file).expanduser()
    return f"{path.resolve()}{separator}{name}" if path.exists() else text
