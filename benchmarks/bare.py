"""The bare minimum a user would script, as its own process: ``bare.py MODEL.py FACTORY 1,3,224,224 WORKDIR``.

Export with PyTorch, one onnxruntime-qnn session that writes a context binary, one simulated run. No source
map, no reason for what falls back, no comparison, no package. Prints the seconds of each step as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path


def main(file: str, factory: str, shape: str, directory: str) -> None:
    started = time.monotonic()
    import onnxruntime
    import onnxruntime_qnn
    import torch

    seconds = {"import": time.monotonic() - started}
    mark = time.monotonic()
    spec = importlib.util.spec_from_file_location("model", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, factory)().eval()
    image = torch.rand(*map(int, shape.split(",")), generator=torch.Generator().manual_seed(0))
    seconds["load"] = time.monotonic() - mark

    mark = time.monotonic()
    graph = Path(directory, "model.onnx")
    torch.onnx.export(model, (image,), graph, dynamo=True, verbose=False)
    seconds["export"] = time.monotonic() - mark

    mark = time.monotonic()
    onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("ep.context_enable", "1")
    options.add_session_config_entry("ep.context_embed_mode", "0")
    options.add_session_config_entry("ep.context_file_path", str(Path(directory, "context.onnx")))
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
    chip = {"backend_path": onnxruntime_qnn.get_qnn_htp_path(), "soc_model": "57", "htp_arch": "75"}
    options.add_provider_for_devices(devices, chip)
    session = onnxruntime.InferenceSession(graph, options)
    seconds["compile"] = time.monotonic() - mark

    mark = time.monotonic()
    session.run(None, {session.get_inputs()[0].name: image.numpy()})
    seconds["simulate"] = time.monotonic() - mark
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
