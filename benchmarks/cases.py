"""What is measured: a name, the model's entry and its inputs, written as one configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
CHAINS = ROOT / "benchmarks" / "models.py"
PACKAGES = ROOT / "benchmarks" / "library.py"


@dataclass(frozen=True)
class Case:
    name: str
    entry: Path
    factory: str
    input_shape: tuple[int, ...]
    quick: bool = False
    limit: float = 1500
    """Seconds after which a measurement is given up and said to be so."""


CASES = (
    Case("ops-10", CHAINS, "ops_10", (1, 3, 32, 32), quick=True),
    Case("chain-100", CHAINS, "chain_100", (1, 64), quick=True),
    Case("chain-1000", CHAINS, "chain_1000", (1, 64)),
    Case("chain-10000", CHAINS, "chain_10000", (1, 64)),
    Case("vit-tiny", EXAMPLES / "vit-tiny" / "model.py", "build", (1, 3, 224, 224)),
    Case("resnet50", EXAMPLES / "resnet50" / "model.py", "build", (1, 3, 224, 224)),
    Case("yolov8n", EXAMPLES / "yolov8n" / "model.py", "build", (1, 3, 640, 640)),
)

LIBRARY = (
    Case("lprnet", EXAMPLES / "lprnet" / "model.py", "build", (1, 3, 24, 94)),
    Case("yolo-world-v1", PACKAGES, "yolo_world_v1", (1, 3, 320, 320)),
    Case("yolo-world-v2", PACKAGES, "yolo_world_v2", (1, 3, 320, 320)),
    Case("swin-tiny", PACKAGES, "swin_tiny", (1, 3, 224, 224)),
    Case("swin-t", PACKAGES, "swin_t", (1, 3, 224, 224)),
    Case("maxvit-tiny", PACKAGES, "maxvit_tiny", (1, 3, 224, 224)),
    Case("coatnet", PACKAGES, "coatnet", (1, 3, 224, 224)),
    Case("deeplabv3", PACKAGES, "deeplabv3", (1, 3, 256, 256)),
    Case("stft", PACKAGES, "stft", (1, 16000), quick=True),
)
"""Models with what the NPU refuses, cannot build or does not export; none of their source is changed."""


def write_configuration(directory: Path, cases: tuple[Case, ...]) -> None:
    """A project whose configuration names every case."""
    parts = ['[tool.aipc]\nsoc = "sm8650"\n']
    for case in cases:
        shape = ",".join(map(str, case.input_shape))
        # Single quotes: a literal TOML string, in which the backslashes of Windows paths stay as they are.
        entry = f"'{case.entry}:{case.factory}'"
        parts.append(f'[tool.aipc.models.{case.name}]\nentry = {entry}\ninputs = ["float32[{shape}]"]\n')
    (directory / "pyproject.toml").write_text("\n".join(parts), encoding="utf-8")
