"""Write a graph as a DLC, QAIRT's own container, by the IR library that onnxruntime-qnn carries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from aipc.core.errors import QairtError
from aipc.core.types import Event

from .session import open_session
from .soc import get_soc


def write(report: Callable[[Event], None], *, model: str, soc: str, out: str) -> str:
    """Compose ``model`` for ``soc`` and write what QAIRT made of it to ``out``; the path.

    Raises:
        QairtError: QAIRT takes only a part of the graph, or none: a DLC holds one whole graph.
    """
    report(Event("quantize", "writing a DLC"))
    with tempfile.TemporaryDirectory() as directory:
        provider = {"dump_qnn_ir_dlc": "1", "dump_qnn_ir_dlc_dir": directory}
        try:
            open_session(
                model,
                get_soc(soc),
                provider=provider,
                config={"session.disable_cpu_ep_fallback": "1"},
                verbose=False,
            )
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "onnxruntime":
                raise
            raise QairtError(
                f"QAIRT does not take the whole graph for {soc}, which a DLC needs",
                remedy="run aipc check to see which nodes are refused",
                detail=str(error),
            ) from error
        files = sorted(Path(directory).rglob("*.dlc"))
        if len(files) != 1:
            raise QairtError(f"QAIRT wrote {len(files)} DLC files, not one", remedy="deploy without --dlc")
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(files[0], out)
    return out
