"""What the configuration says, and a model that was named, as data. Each key is described here once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .app_config import AppConfig
from .model_options import CALIBRATION, CALIBRATION_COUNT, PRECISION, SOC, TARGET
from .option import Option, described_factory, option
from .sweep_config import SweepConfig

InputSpec = Mapping[str, str] | tuple[str, ...] | str | None
"""A mapping from argument name, a list in the order of ``forward``'s arguments, one string, or nothing."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One ``[tool.aipc.models.NAME]`` table. Paths are relative to the file that holds it."""

    name: str
    entry: str = option(
        Option(
            help="`file.py:Name` (an `nn.Module` class, an instance or a factory function), a `.onnx` or `.pt2` file; "
            "`package:NAME/path` for a file in an installed package"
        )
    )
    inputs: InputSpec = option(
        Option(
            help='a table `{ argument = "float32[1,3,640,640]" }`, a list in the order of `forward`\'s arguments, '
            "`file.py:function`, a `.npz` file or an image"
        ),
        None,
    )
    precision: str | None = option(PRECISION, None)
    calibration: str | None = option(CALIBRATION, None)
    calibration_count: int | None = option(CALIBRATION_COUNT, None)
    preprocess: str | None = option(
        Option(
            help="what turns a picture or item into an input: `file.py:function`, `unit`, `symmetric` or `imagenet`"
        ),
        None,
    )
    tolerance: Mapping[str, float] = described_factory(
        Option(
            help="thresholds of the accuracy gates, for example `{ sqnr_db = 40 }`; every key is in the table below"
        ),
        dict,
    )
    soc: str | None = option(SOC, None)
    metric: str | None = option(Option(help="the author's own measure of quality"), None)
    samples: str | None = option(
        Option(
            help="further inputs that the package is judged on: a folder, an `.npz` or `.npy` file, or `file.py:name`"
        ),
        None,
    )
    dims: Mapping[str, int | tuple[int, ...]] = described_factory(
        Option(help="named dynamic dimensions, each pinned to one size, or given as several sizes"), dict
    )
    """Several sizes are buckets, ascending."""

    state: Literal["inputs"] | None = option(
        Option(
            help='`"inputs"`: each buffer, and each attribute that is a tensor, that `forward` changes becomes an '
            "input of the graph, and an output that the caller feeds to the next run"
        ),
        None,
    )
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further options of requests, which hold where a request leaves them at their defaults."""

    @property
    def sizes(self) -> dict[str, int]:
        """One size for each named dimension: the pinned one, or the largest bucket."""
        return {name: size if isinstance(size, int) else max(size) for name, size in self.dims.items()}


@dataclass(frozen=True, slots=True)
class Config:
    root: Path
    soc: str | None = option(SOC, None)
    target: str | None = option(TARGET, None)
    models: Mapping[str, ModelConfig] = described_factory(
        Option(help="one table for each model, `[tool.aipc.models.NAME]`"), dict
    )
    targets: Mapping[str, Mapping[str, Any]] = described_factory(
        Option(help='one table for each device of which something is to be known, `[tool.aipc.targets."ssh:HOST"]`'),
        dict,
    )
    """See ``core/target_config.py``."""
    apps: Mapping[str, AppConfig] = described_factory(
        Option(
            help="one table for each application of several graphs, `[tool.aipc.apps.NAME]`; see "
            "[applications](../applications.md)"
        ),
        dict,
    )
    sweep: SweepConfig = described_factory(
        Option(help="the table of `aipc sweep`; see [sweeps](../sweeps.md)"), SweepConfig
    )


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model that was named: where it is, and what the configuration says of it."""

    name: str
    kind: Literal["python", "folder", "onnx", "pt2", "captured"]
    """``folder``: ``path`` holds a model as transformers saves it, with its config.json.

    ``captured``: ``path`` is a directory that holds a capture, made in the process of the model's author.
    """
    path: Path
    attribute: str | None
    inputs: InputSpec
    config: ModelConfig | None
    root: Path
    unsaved: Mapping[str, str] = field(default_factory=dict)
    """Path -> text, for source files that an editor holds and the disk does not have yet."""

    @property
    def runs_pytorch(self) -> bool:
        """Whether PyTorch's own answers are those of a module that the reference builds."""
        return self.kind in {"python", "folder"}

    @property
    def reference(self) -> str:
        """What names this model again, from anywhere in its project."""
        if self.config:
            return self.config.name
        return f"{self.path}:{self.attribute}" if self.attribute else str(self.path)

    @property
    def portable(self) -> str:
        """The same from the project's root, without this computer's paths: what a package may carry."""
        if self.config:
            return self.config.name
        inside = self.path.is_relative_to(self.root)
        path = self.path.relative_to(self.root).as_posix() if inside else self.path.name
        return f"{path}:{self.attribute}" if self.attribute else path
