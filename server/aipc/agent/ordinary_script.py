"""The program of an ordinary process: PyTorch, the project's model, its outputs. It imports nothing of AIPC.

It runs as ``python -c`` with a task as JSON on its standard input, and locks itself in before it imports the project.
"""

import sys

if __name__ == "__main__" and sys.path and not sys.path[0]:
    del sys.path[0]  # ``-c`` puts the working directory there

import importlib
import importlib.util
import json
import os
import random
import resource
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree


def main() -> None:
    task = json.load(sys.stdin)
    _lock_in(task)
    document: dict[str, Any] = {"sets": [], "raised": ""}
    try:
        _answer_all(task, document["sets"])
    except BaseException as error:
        lines = str(error).strip().splitlines() or ["no message"]
        document["raised"] = f"{type(error).__name__}: {lines[0]}"[:500]
    (Path(task["folder"]) / "result.json").write_text(json.dumps(document), "utf-8")
    sys.stdout.flush()
    os._exit(0)


def _lock_in(task: dict[str, Any]) -> None:
    """Take the rights away, by the sandbox's own code, which is run from its text and stays in no table of modules."""
    for kind, value in (("RLIMIT_CPU", int(task["seconds"] * 4) + 1), ("RLIMIT_FSIZE", task["file_bytes"])):
        resource.setrlimit(getattr(resource, kind), (value, value))
    parts = {}
    for name in ("restrict", "watchman"):
        parts[name] = {"__name__": name, "__file__": name}
        exec(compile(task[name], name, "exec"), parts[name])
    descriptor = os.open(task["seen"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    watchman: Any = parts["watchman"]["Watchman"]
    restrict: Any = parts["restrict"]["restrict"]
    watchman(descriptor, task["writable"]).ready(restrict(task["readable"] + task["writable"], task["writable"]))


def _answer_all(task: dict[str, Any], names: list[str]) -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    module = _model(task)
    torch.seed()
    saved = torch.load(Path(task["examples"]) / "structure.pt", weights_only=False)
    structure = pytree.tree_structure(saved["arguments"])
    for name in task["sets"]:
        leaves = list(saved["leaves"])
        with np.load(Path(task["examples"]) / f"{name}.npz", allow_pickle=False) as arrays:
            for key in arrays.files:
                leaves[int(key)] = torch.from_numpy(np.array(arrays[key])).to(leaves[int(key)].dtype)
        args, kwargs = pytree.tree_unflatten(leaves, structure)
        with torch.no_grad():
            answer = module(*args, **kwargs)
        tensors = [leaf for leaf in pytree.tree_leaves(answer) if isinstance(leaf, torch.Tensor)]
        outputs = {f"output {index}": _array(tensor) for index, tensor in enumerate(tensors)}
        _write(Path(task["out"]) / f"{name}.npz", outputs)
        names.append(name)


def _model(task: dict[str, Any]) -> torch.nn.Module:
    """What the reference names: a module, or what makes one without arguments. In evaluation mode, 16 bits widened."""
    sys.path[:0] = [path for path in task["path"] if path not in sys.path]
    sys.argv = [task["file"]]
    name = task["module"]
    if "." in name:
        value: Any = importlib.import_module(name)
    else:
        spec = importlib.util.spec_from_file_location(name, task["file"])
        assert spec and spec.loader
        value = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(value)
    for part in task["attribute"].split("."):
        value = getattr(value, part)
    module = value if isinstance(value, torch.nn.Module) else value()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"{task['attribute']} is not an nn.Module")
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype in {torch.float16, torch.bfloat16}:
            tensor.data = tensor.data.float()
    return module.eval()


def _write(path: Path, arrays: dict[str, Any]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _array(tensor: torch.Tensor) -> Any:
    plain = tensor.detach().cpu()
    plain = plain.float() if plain.dtype in {torch.bfloat16, torch.float16} else plain
    return np.array(plain.resolve_conj().resolve_neg().numpy())


if __name__ == "__main__":
    main()
