"""Seconds that proofs of rewrites take: each site in the simulator, one site of each class, and with classes known.

    python benchmarks/proofs.py [MODEL ...]   # prints a table, writes benchmarks/proofs.json

Every row is measured in one process, one after the other, on random weights, for SM8650.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import torch

from aipc.capture.export import export
from aipc.capture.recorder import ConstructionRecorder
from aipc.core.types import Placement
from aipc.qairt.placement import place
from aipc.qairt.soc import get_soc
from aipc.rewrites.jobs import rewrite

SOC = "sm8650"


def _timm(name: str) -> torch.nn.Module:
    import timm

    return timm.create_model(name, pretrained=False)


def _video(name: str) -> torch.nn.Module:
    import torchvision

    return getattr(torchvision.models.video, name)(weights=None)


MODELS: dict[str, tuple[Callable[[], torch.nn.Module], tuple[int, ...]]] = {
    "swin_tiny": (lambda: _timm("swin_tiny_patch4_window7_224"), (1, 3, 224, 224)),
    "swin3d_t": (lambda: _video("swin3d_t"), (1, 3, 8, 112, 112)),
    "mvit_v2_s": (lambda: _video("mvit_v2_s"), (1, 3, 16, 224, 224)),
}


def measure(name: str) -> dict[str, Any]:
    """One row: seconds of apply and prove, sites, and proofs that rest on their class."""
    build, shape = MODELS[name]
    torch.manual_seed(0)
    x = torch.randn(shape)
    exported = export(build().eval(), (x,), {}, ConstructionRecorder())
    with tempfile.TemporaryDirectory(prefix="aipc-proofs-") as folder:
        directory = Path(folder)
        ir.save(exported.model, directory / "model.onnx")
        np.savez(directory / "inputs.npz", **{exported.model.graph.inputs[0].name or "": x.numpy()})
        report = place(directory / "model.onnx", get_soc(SOC))
        off = [node.node for node in report.nodes if node.placement is not Placement.NPU]
        row: dict[str, Any] = {"model": name, "nodes": len(report.nodes), "off the NPU": len(off)}
        for way, every_site in (("classes", False), ("known classes", False), ("each site", True)):
            out = directory / way
            out.mkdir()
            started = time.perf_counter()
            result = rewrite(
                lambda event: None,
                model=str(directory / "model.onnx"),
                inputs=str(directory / "inputs.npz"),
                soc=SOC,
                off=off,
                triggers=["wrong"],
                out=str(out),
                full=False,
                every_site=every_site,
                proofs=str(directory / "cache"),
            )
            row[way] = {
                "seconds": round(time.perf_counter() - started, 1),
                "prove": round(result.seconds.get("prove", 0.0), 1),
                "rewrites": len(result.applications),
                "proofs": len(result.proofs),
                "by class": result.by_class,
                "failed": sum(not proof.ok for proof in result.proofs),
            }
            print(name, way, row[way], flush=True)
    return row


if __name__ == "__main__":
    rows = [measure(name) for name in sys.argv[1:] or MODELS]
    Path(__file__).with_suffix(".json").write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
