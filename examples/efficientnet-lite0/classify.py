"""Print what PyTorch and a deployed package see in the picture: ``python classify.py PACKAGE``."""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from timm.data import ImageNetInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from model import PICTURE, build, prepare
from shared.package import run_package


def top5(logits: np.ndarray) -> list[tuple[str, float]]:
    """The five likeliest ImageNet labels and their probabilities, from float32[1, 1000] logits."""
    shifted = np.exp(logits[0] - logits[0].max())
    probabilities = shifted / shifted.sum()
    labels = ImageNetInfo("imagenet-1k")
    best = np.argsort(-probabilities)[:5]
    return [(labels.index_to_description(int(index)), float(probabilities[index])) for index in best]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", type=Path, help="directory that `aipc deploy` wrote")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    image = prepare(arguments.picture)
    with torch.no_grad():
        answers = {"PyTorch": top5(build()(torch.from_numpy(image)).numpy())}
    if arguments.package:
        answers["package"] = top5(run_package(arguments.package, [image])[0])
    for name, answer in answers.items():
        print(name)
        for label, probability in answer:
            print(f"  {probability:6.1%}  {label}")
    same = len({tuple(label for label, _ in answer[:1]) for answer in answers.values()}) == 1
    if arguments.package:
        print("the same first answer" if same else "DIFFERENT first answers")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
