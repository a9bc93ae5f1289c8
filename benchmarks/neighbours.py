"""``aipc deploy`` beside ``yolo export format=qnn``: same weights, pictures, chip and bits, in one run.

Both start from one ``.pt`` file: the trained detector of the package nudenet, its weights put back into the module of
ultralytics. Both calibrate with the same 24 pictures for Hexagon v75, 8-bit weights and 16-bit activations. What they
made runs in the simulator on the same held-out pictures, compared with that module in fp32. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from table import machine, update

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "yolov8n")]

from detect import Detection, decode, overlap  # noqa: E402
from shared.pictures import CALIBRATION, CALIBRATION_COUNT, HELD_OUT, pictures  # noqa: E402

SIZE, CLASSES, SOC, ARCH, PRECISION = 320, 18, "sm8650", 75, "w8a16"
HELD_OUT_COUNT = 12
OVERLAP = 0.5
"""From which a box counts as found: COCO's least. The boxes here are 13 to 27 pixels wide."""
SECONDS = 1500
MODEL = """\
import numpy as np
import torch
from PIL import Image
from ultralytics import YOLO
from ultralytics.data.augment import LetterBox

letterbox = LetterBox(({size}, {size}), auto=False, scaleup=True)


def build():
    model = YOLO({weights!r}).model.float().eval()
    model.model[-1].export = True
    model.model[-1].format = "onnx"
    return model


def prepared(image):
    pixels = letterbox(image=np.asarray(image.convert("RGB")))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32) / 255
"""
CONFIG = """\
[tool.aipc.models.detector]
entry = "detector.py:build"
inputs = {{ images = "float32[1,3,{size},{size}]" }}
calibration = "images/train"
calibration_count = {count}
preprocess = "detector.py:prepared"
tolerance = {{ sqnr_db = 30 }}
"""
DATA = "path: {path}\ntrain: images/train\nval: images/train\nnames: [{names}]\n"
RUN = """\
import json, sys
import numpy, onnxruntime, onnxruntime_qnn
model, soc_model, arch, inputs, outputs = sys.argv[1:]
onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
options = onnxruntime.SessionOptions()
provider = {"backend_path": onnxruntime_qnn.get_qnn_htp_path(), "soc_model": soc_model, "htp_arch": arch}
options.add_provider_for_devices(devices, provider)
session = onnxruntime.InferenceSession(model, options)
(spec,) = session.get_inputs()
last = spec.shape[-1] == 3
found = []
for picture in numpy.load(inputs):
    array = numpy.ascontiguousarray(picture.transpose(0, 2, 3, 1)) if last else picture
    (output,) = session.run(None, {spec.name: array})
    found.append(output)
numpy.save(outputs, numpy.stack(found))
"""
"""Runs any context model alone: neither tool's own code has a part in how the other is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """``found`` of PyTorch's ``boxes``: same class, an overlap of 0.5; ``more``: boxes that PyTorch does not have."""

    tool: str
    seconds: float
    megabytes: float
    box_db: float
    score_db: float
    boxes: int
    found: int
    more: int
    score_off: float
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="empty directory to work in")
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    prepare(folder)
    references = reference_outputs(folder)
    rows = [measured(name, make, folder, references) for name, make in TOOLS.items()]
    text = f"{markdown(rows)}\n\n{time.strftime('%Y-%m-%d')}. {machine()}"
    print(text)
    if arguments.update:
        update(arguments.update, text, "neighbours")
    return 0


def prepare(folder: Path) -> None:
    """The project that both tools start from: weights, pictures, and a configuration for each."""
    import nudenet
    import onnx
    import torch
    from onnx import numpy_helper
    from ultralytics.nn.tasks import DetectionModel

    (folder / "images" / "train").mkdir(parents=True)
    (folder / "labels" / "train").mkdir(parents=True)
    for number, picture in enumerate(pictures(CALIBRATION, CALIBRATION_COUNT)):
        picture.save(folder / "images" / "train" / f"{number:02d}.png")
        # ultralytics reads a data set with its labels; calibration uses none of them.
        (folder / "labels" / "train" / f"{number:02d}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    graph = onnx.load(Path(nudenet.__file__).parent / "320n.onnx").graph
    arrays = {item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer}
    model = DetectionModel("yolov8n.yaml", nc=CLASSES, verbose=False).fuse().eval()
    state = model.state_dict()
    model.load_state_dict({name: arrays.get(name, value).reshape(value.shape) for name, value in state.items()})
    if missing := sorted(set(state) - set(arrays) - {"model.22.dfl.conv.weight"}):
        raise SystemExit(f"the weights file lacks {missing[0]}")
    model.args = {"imgsz": SIZE, "task": "detect"}
    weights = folder / "detector.pt"
    torch.save({"model": model}, weights)
    (folder / "data.yaml").write_text(DATA.format(path=folder, names=", ".join(f"c{n}" for n in range(CLASSES))))
    (folder / "detector.py").write_text(MODEL.format(size=SIZE, weights=str(weights)))
    (folder / "pyproject.toml").write_text(CONFIG.format(size=SIZE, count=CALIBRATION_COUNT))


def reference_outputs(folder: Path) -> np.ndarray:
    """float32[pictures, 1, 22, 2100] of the module in fp32; its inputs go into ``held-out.npy``."""
    import runpy

    import torch

    module = runpy.run_path(str(folder / "detector.py"))
    inputs = [module["prepared"](picture) for picture in pictures(HELD_OUT, HELD_OUT_COUNT)]
    np.save(folder / "held-out.npy", np.stack(inputs))
    model = module["build"]()
    with torch.no_grad():
        answers = [model(torch.from_numpy(picture)) for picture in inputs]
    return np.stack([(item[0] if isinstance(item, tuple) else item).numpy() for item in answers])


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that fails ends the benchmark with its last lines."""
    environment = {**os.environ, "YOLO_AUTOINSTALL": "false"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done


def aipc(folder: Path) -> tuple[Path, str]:
    """The package's context model, and what the tool said of its quality."""
    options = ["--soc", SOC, "--precision", PRECISION, "--output", "package", "--json"]
    document = json.loads(run([sys.executable, "-m", "aipc", "deploy", "detector", *options], folder).stdout)
    gates = [stage["gate"] for stage in document["stages"] if stage["name"] == "verify"]
    said = f"held-out samples {gates[0]['value']:.1f} dB, verified" if gates and gates[0] else "not verified"
    manifest = json.loads((folder / "package" / "manifest.json").read_text())
    return folder / "package" / manifest["entry"], said


def ultralytics(folder: Path) -> tuple[Path, str]:
    options = ["format=qnn", f"name={ARCH}", f"model={folder / 'detector.pt'}", f"imgsz={SIZE}", "data=data.yaml"]
    done = run([str(Path(sys.executable).with_name("yolo")), "export", *options, "batch=1"], folder)
    warnings = f"{done.stdout}{done.stderr}".lower().count("overflow")
    return folder / "detector_qnn.onnx", f"nothing was run{f'; {warnings} warnings of overflow' if warnings else ''}"


TOOLS: Mapping[str, Callable[[Path], tuple[Path, str]]] = {"yolo export format=qnn": ultralytics, "aipc deploy": aipc}


def measured(name: str, make: Callable[[Path], tuple[Path, str]], folder: Path, references: np.ndarray) -> Measured:
    """Let a tool make its model, run that in the simulator, and hold it against fp32."""
    started = time.perf_counter()
    model, said = make(folder)
    seconds = time.perf_counter() - started
    outputs = folder / f"{model.parent.name}-outputs.npy"
    command = [sys.executable, "-c", RUN, str(model), "57", str(ARCH), str(folder / "held-out.npy"), str(outputs)]
    run(command, folder)
    actual = np.load(outputs).reshape(references.shape)
    compared = [
        matched(decode(a, 1.0, (0, 0)), decode(b, 1.0, (0, 0))) for a, b in zip(references, actual, strict=True)
    ]
    offs = [off for _, _, _, found in compared for off in found]
    files = [
        path for path in model.parent.iterdir() if path.suffix in {".onnx", ".bin"} and path.name != "detector.onnx"
    ]
    return Measured(
        tool=name,
        seconds=seconds,
        megabytes=sum(path.stat().st_size for path in files) / 1e6,
        box_db=sqnr_db(references[:, :, :4], actual[:, :, :4]),
        score_db=sqnr_db(references[:, :, 4:], actual[:, :, 4:]),
        boxes=sum(item[0] for item in compared),
        found=sum(item[1] for item in compared),
        more=sum(item[2] for item in compared),
        score_off=max(offs, default=0.0),
        said=said,
    )


def sqnr_db(reference: np.ndarray, actual: np.ndarray) -> float:
    noise = float(((reference - actual).astype(np.float64) ** 2).sum())
    return 10 * float(np.log10(float((reference.astype(np.float64) ** 2).sum()) / noise)) if noise else float("inf")


def matched(wanted: list[Detection], given: list[Detection]) -> tuple[int, int, int, list[float]]:
    """Boxes of PyTorch, those of them found, boxes too many, and by how much each found one's score is off."""
    rest, offs = list(given), []
    for detection in wanted:
        near = [
            item
            for item in rest
            if item.kind == detection.kind and overlap(detection.box, item.box[None]).max() >= OVERLAP
        ]
        if near:
            rest.remove(near[0])
            offs.append(abs(near[0].score - detection.score))
    return len(wanted), len(offs), len(rest), offs


def markdown(rows: Sequence[Measured]) -> str:
    lines = [
        "| tool | seconds | MB | boxes, dB | scores, dB | boxes found | more | largest score error | what it says |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        cells: list[Any] = [f"`{row.tool}`", f"{row.seconds:.1f}", f"{row.megabytes:.1f}", f"{row.box_db:.1f}"]
        cells += [f"{row.score_db:.1f}", f"{row.found} of {row.boxes}", row.more, f"{row.score_off:.3f}", row.said]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
