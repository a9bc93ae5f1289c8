"""Read the text on the bus: ``python read.py [DETECTION_PACKAGE RECOGNITION_PACKAGE]``.

Without packages, onnxruntime runs the same two networks on the CPU; with them, both readings must be equal.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import rapidocr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from models import FRONT, padded_line, page
from shared.package import run_package

SHIPPED = Path(rapidocr.__file__).parent / "models"
DETECTION, RECOGNITION = SHIPPED / "PP-OCRv6_det_small.onnx", SHIPPED / "PP-OCRv6_rec_small.onnx"
Network = Callable[[np.ndarray], np.ndarray]


def on_cpu(model: Path) -> Network:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {session.get_inputs()[0].name: image})[0]


def from_package(package: Path) -> Network:
    return lambda image: run_package(package, [image])[0]


def lines(
    probability: np.ndarray, threshold: float = 0.3, smallest: int = 60
) -> list[tuple[float, float, float, float]]:
    """Boxes of text in the picture, from float32[1, 1, 640, 640]; widened: the network marks text shrunk."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats((probability[0, 0] > threshold).astype(np.uint8))
    found = []
    for x, y, width, height, area in statistics[1:count]:
        if area < smallest:
            continue
        margin = 0.75 * width * height / (width + height)
        left, top = FRONT[0] + x - margin, FRONT[1] + y - margin
        found.append((left, top, left + width + 2 * margin, top + height + 2 * margin))
    return sorted(found, key=lambda box: (box[1], box[0]))


def characters() -> list[str]:
    """What the classes mean: the blank of CTC, the characters in the model's metadata, a space."""
    session = onnxruntime.InferenceSession(RECOGNITION, providers=["CPUExecutionProvider"])
    listed = session.get_modelmeta().custom_metadata_map["character"].splitlines()
    return ["", *listed, " "]


def text(probabilities: np.ndarray, alphabet: list[str]) -> str:
    """Greedy CTC decoding of float32[1, positions, classes]."""
    best = probabilities[0].argmax(axis=1)
    fresh = np.concatenate([[True], best[1:] != best[:-1]])
    return "".join(alphabet[index] for index in best[fresh])


def read(detect: Network, recognize: Network) -> list[str]:
    alphabet = characters()
    return [text(recognize(padded_line(box)), alphabet) for box in lines(detect(page()[0]))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", type=Path, help="packages of ocr-det and ocr-rec")
    packages = parser.parse_args().packages
    if len(packages) not in (0, 2):
        parser.error("give no package, or those of ocr-det and ocr-rec")
    reference = read(on_cpu(DETECTION), on_cpu(RECOGNITION))
    print("onnxruntime on the CPU:", *reference, sep="\n  ")
    if not packages:
        return 0
    deployed = read(from_package(packages[0]), from_package(packages[1]))
    print("packages:", *deployed, sep="\n  ")
    print("equal" if deployed == reference else "DIFFERENT")
    return 0 if deployed == reference else 1


if __name__ == "__main__":
    sys.exit(main())
