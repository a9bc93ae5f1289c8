"""A language model's package as a bundle for Genie: its two configuration files, beside the graphs' context binaries.

Keys and layout are those that libGenie 1.21 itself validates; where the binaries lie is relative to the package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CONFIG, EXTENSION = "genie_config.json", "htp_backend_ext_config.json"
CONTEXT_STEP, PREFILL_STEP = 256, 32
"""With a context of 64, or of 128 and heads of 8, libGenie 1.21 gave other tokens than onnxruntime from the same
binaries, without a word; with 256 and a prefill of 32 or more always the same."""


def write_bundle(package: Path, host: Mapping[str, Any], graphs: Sequence[str], soc_model: int, htp_arch: int) -> str:
    """Write the two files into ``package``; return why there is no bundle, or "".

    Args:
        host: the recipe's numbers of a decoder-only model.
        graphs: names of the graphs whose binaries Genie loads.
    """
    if host["context"] % CONTEXT_STEP or host["prefill"] % PREFILL_STEP:
        return (
            f"Genie takes contexts in steps of {CONTEXT_STEP} tokens and a prefill in steps of {PREFILL_STEP}, not "
            f"{host['context']} and {host['prefill']}"
        )
    if host["rope_type"] != "default":
        return f"rotary tables of the type {host['rope_type']} are not written into Genie's configuration"
    binaries = [
        path.relative_to(package).as_posix()
        for name in graphs
        for path in sorted((package / "graphs" / name).glob("*.bin"))
    ]
    end = host["end"]
    context = {
        "version": 1,
        "size": host["context"],
        "n-vocab": host["vocabulary"],
        # Genie puts this before every prompt, which has it already where the model wants it.
        "bos-token": -1,
        "eos-token": end[0] if len(end) == 1 else end,
    }
    backend = {
        "version": 1,
        "type": "QnnHtp",
        "QnnHtp": {
            "version": 1,
            "use-mmap": False,
            "spill-fill-bufsize": 0,
            "mmap-budget": 0,
            "poll": False,
            "cpu-mask": "0xe0",
            "kv-dim": host["head_size"],
            "allow-async-init": False,
        },
        "extensions": EXTENSION,
    }
    rope = {"type": "rope", "rope-dim": host["head_size"] // 2, "rope-theta": host["rope_theta"]}
    model = {
        "version": 1,
        "type": "binary",
        "binary": {"version": 1, "ctx-bins": binaries},
        "positional-encoding": rope,
    }
    config = {
        "dialog": {
            "version": 1,
            "type": "basic",
            "max-num-tokens": host["tokens"],
            "context": context,
            # The likeliest token each time, as the package was verified.
            "sampler": {"version": 1, "seed": 42, "temp": 1.0, "top-k": 1, "top-p": 1.0},
            "tokenizer": {"version": 1, "path": "tokenizer.json"},
            "engine": {"version": 1, "n-threads": 3, "backend": backend, "model": model},
        }
    }
    device = {"soc_model": soc_model, "dsp_arch": f"v{htp_arch}", "cores": [{"core_id": 0, "perf_profile": "burst"}]}
    (package / CONFIG).write_text(json.dumps(config, indent=2), "utf-8")
    (package / EXTENSION).write_text(json.dumps({"devices": [device]}, indent=2), "utf-8")
    return ""
