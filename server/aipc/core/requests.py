"""What a user can ask for of a model or a package, one frozen type a request.

Each field that is an :func:`~aipc.core.option.option` is described here and nowhere else: the command line, the MCP
tools, the language server, the configuration and the reference pages derive from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Literal

from .config_types import ModelRef
from .model_options import (
    APPLY,
    CALIBRATION,
    CALIBRATION_COUNT,
    MODEL,
    NO_CACHE,
    OUT,
    PACKAGE,
    PRECISION,
    SETUP,
    SOC,
    TARGET,
)
from .option import Option, PathKind, Switch, option

EVALUATION_SAMPLES = 64
"""Samples of an evaluation by default: the simulator takes seconds for each of a larger model."""


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Where each operator of a model runs."""

    model: str = option(MODEL)
    _: KW_ONLY
    soc: str | None = option(SOC, None)
    precision: str | None = option(PRECISION, None)
    inputs: Mapping[str, str] | None = None
    full: bool = option(
        Option(
            help="Also compile to the end, which finds what only then fails, and see what deploy rewrites by itself",
            switches=(
                Switch(name="quick", value=False, help="Validate only; do not compile to the end, which finds more"),
            ),
        ),
        True,
    )
    numerics: bool = option(Option(help="Also judge each operator's numbers on the simulator"), False)
    cwd: Path | None = None
    use_cache: bool = option(NO_CACHE, True)
    unsaved: Mapping[str, str] = field(default_factory=dict)
    """Path -> text of source files that an editor has not saved; the model is read from these."""
    calibration: str | None = option(CALIBRATION, None)
    captured: ModelRef | None = None
    """The model where it was captured already, in the process of its author; ``model`` is then its name."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """A verified package of a model."""

    model: str = option(MODEL)
    _: KW_ONLY
    soc: str | None = option(SOC, None, help=f"{SOC.help}; several with commas make one package for all")
    precision: str | None = option(PRECISION, None)
    target: str | None = option(TARGET, None)
    inputs: Mapping[str, str] | None = None
    out: Path | None = option(
        OUT,
        None,
        help="Directory of the package",
        default=".aipc/packages/MODEL-SOC-PRECISION beside the configuration",
    )
    allow_cpu: bool = option(
        Option(help="Leave operators on the CPU that the NPU does not run", configured=True), False
    )
    cwd: Path | None = None
    use_cache: bool = option(NO_CACHE, True)
    calibration: str | None = option(CALIBRATION, None)
    calibration_count: int | None = option(CALIBRATION_COUNT, None)
    integer_io: bool = option(
        Option(help="Inputs and outputs of a quantized package are the integers themselves", configured=True), False
    )
    probes: Literal["none", "few", "all"] = option(
        Option(
            help="Input sets beside the example on which the package is judged: none, few (those that fit into a "
            "little time) or all",
            switches=(
                Switch(
                    name="thorough",
                    value="all",
                    help="Run every probe in the simulator or on the device, however long it takes",
                ),
                Switch(
                    name="no_probes",
                    value="none",
                    help="Judge the package on its example inputs (or held-out data) alone",
                ),
            ),
            configured=True,
        ),
        "few",
    )
    setup: bool = option(SETUP, False)
    accept: bool = option(
        Option(
            help="Take a package that misses the accuracy asked for, at what it reached (20 dB at the least); its "
            "manifest records it",
            users_word=True,
        ),
        False,
    )
    captured: ModelRef | None = None
    """The model where it was captured already, in the process of its author; ``model`` is then its name."""


@dataclass(frozen=True, slots=True)
class FixRequest:
    """Proved edits of a model's source."""

    model: str = option(MODEL)
    _: KW_ONLY
    soc: str | None = option(SOC, None)
    precision: str | None = option(PRECISION, None)
    inputs: Mapping[str, str] | None = None
    apply: bool = option(APPLY, False)
    cwd: Path | None = None
    use_cache: bool = option(NO_CACHE, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeRequest:
    """A quantized graph of a model, with its encodings."""

    model: str = option(MODEL)
    soc: str | None = option(SOC, None)
    precision: str | None = option(
        PRECISION,
        None,
        help="Number format: w8a16, w8a8 or w4a16",
        default="w8a16",
    )
    calibration: str | None = option(CALIBRATION, None)
    calibration_count: int | None = option(CALIBRATION_COUNT, None)
    out: Path | None = option(
        OUT,
        None,
        help="Directory of the quantized graph",
        default=".aipc/quantized/MODEL-SOC-PRECISION beside the configuration",
    )
    dlc: bool = option(Option(help="Also write QAIRT's own format, model.dlc"), False)
    cwd: Path | None = None
    use_cache: bool = option(NO_CACHE, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """A task metric of a package on labelled data, and PyTorch's."""

    package: Path = option(PACKAGE)
    data: str = option(
        Option(
            help="A folder with a subfolder of pictures for each class, an .npz with an array target, or file.py:name "
            "of (input, target). Of an application: a folder of .wav files with a .txt beside each, or file.py:name",
            metavar="DATA",
            path=PathKind.DATA,
        )
    )
    metric: str | None = option(
        Option(
            help="top-1, top-5, psnr, ssim, miou, map, wer, perplexity, or file.py:name of (outputs, target)",
            default="top-1 of a model, wer of an application",
            path=PathKind.DATA,
        ),
        None,
    )
    decode: str | None = option(
        Option(help="Function of the outputs whose result the metric takes", metavar="FILE:NAME", path=PathKind.DATA),
        None,
    )
    preprocess: str | None = option(
        Option(help="none, unit, symmetric, imagenet or file.py:name", path=PathKind.DATA, configured=True),
        None,
    )
    count: int = option(Option(help="Samples, drawn by --seed", metavar="N", minimum=1), EVALUATION_SAMPLES)
    seed: int = option(Option(help="Which samples are drawn"), 0)
    target: str | None = option(TARGET, None, configured=False)
    most_loss: float | None = option(
        Option(help="Not passed when the package loses more against PyTorch, in the metric's unit", minimum=0), None
    )
    worst: int = option(Option(help="Worst samples on the report page", minimum=0), 12)
    use_cache: bool = option(NO_CACHE, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """An application of several graphs. ``out``: ``.aipc/packages/APP-SOC-PRECISION`` by default."""

    application: str
    soc: str | None = None
    precision: str | None = None
    target: str | None = None
    out: Path | None = None
    cwd: Path | None = None
    use_cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run of a package on arrays."""

    package: Path = option(PACKAGE)
    input: Path | None = option(
        Option(
            help="An .npz file with one array for each input",
            default="the golden ones",
            metavar="NPZ",
            flags=("--input", "-i"),
            path=PathKind.INPUT,
        ),
        None,
    )
    output: Path | None = option(
        Option(
            help="The .npz file for the outputs",
            default="outputs.npz",
            metavar="NPZ",
            flags=("--output", "-o"),
            path=PathKind.OUTPUT,
        ),
        None,
    )
    target: str | None = option(TARGET, None, configured=False)
    repeat: int = option(Option(help="Timed runs, where a device measures latency", minimum=1), 10)
    setup: bool = option(SETUP, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """A package's golden inputs run again."""

    package: Path = option(PACKAGE)
    target: str | None = option(TARGET, None, configured=False)
    setup: bool = option(SETUP, False)


MODEL_REQUESTS: tuple[type, ...] = (DeployRequest, QuantizeRequest)
"""Those whose configured options a model's table may set, beside the keys that it has itself."""
