"""Sessions with QAIRT: the one place that spells option names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.scratch import memory_directory, scratch_directory

from .log_capture import LogLine, captured_log
from .runtime import qnn_devices
from .soc import SoC

# QNN accepts unknown option names and values without a word, so a misspelt one would silently do nothing.
PROVIDER_OPTIONS = frozenset(
    {
        "backend_path",
        "dump_qnn_ir_dlc",
        "dump_qnn_ir_dlc_dir",
        "enable_framework_op_trace",
        "enable_htp_fp16_precision",
        "framework_op_trace_dir",
        "htp_arch",
        "htp_graph_finalization_optimization_mode",
        "htp_performance_mode",
        "offload_graph_io_quantization",
        "profiling_file_path",
        "profiling_level",
        "soc_model",
        "vtcm_mb",
    }
)
CONFIG_ENTRIES = frozenset(
    {
        "ep.context_embed_mode",
        "ep.context_enable",
        "ep.context_file_path",
        "session.disable_cpu_ep_fallback",
        "session.record_ep_graph_assignment_info",
    }
)


def session_options(
    soc: SoC,
    *,
    provider: Mapping[str, str] | None = None,
    config: Mapping[str, str] | None = None,
    verbose: bool = True,
) -> Any:
    """Options of a session on the HTP compiler and simulator for ``soc``.

    Raises:
        ValueError: an option name that is not one of ours to use.
        MissingDependencyError: QAIRT is not installed.
    """
    import onnxruntime
    import onnxruntime_qnn

    unknown = set(provider or ()) - PROVIDER_OPTIONS | set(config or ()) - CONFIG_ENTRIES
    if unknown:
        raise ValueError(f"unknown QNN options {sorted(unknown)}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 0 if verbose else 3
    for name, value in (config or {}).items():
        options.add_session_config_entry(name, value)
    options.add_provider_for_devices(
        qnn_devices(),
        {
            "backend_path": onnxruntime_qnn.get_qnn_htp_path(),
            "soc_model": str(soc.soc_id),
            "htp_arch": str(soc.htp_arch),
            # A quantized graph's fp32 inputs and outputs are converted on the NPU, not by nodes on the CPU.
            "offload_graph_io_quantization": "0",
            **(provider or {}),
        },
    )
    return options


def open_session(
    model: str | Path | bytes,
    soc: SoC,
    *,
    provider: Mapping[str, str] | None = None,
    config: Mapping[str, str] | None = None,
    verbose: bool = True,
) -> Any:
    """An ``onnxruntime.InferenceSession`` for ``model`` (a path, or the file's bytes) on ``soc``.

    Raises what onnxruntime raises.
    """
    import onnxruntime

    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        session_options(soc, provider=provider, config=config, verbose=verbose),
    )


@dataclass(frozen=True, slots=True)
class SessionAttempt:
    """What one attempt to open a session told: onnxruntime's error or the assignment, QNN's trace and log."""

    error: str | None
    assignment: tuple[tuple[str, str, str], ...]
    """(execution provider, node name, operator type) for every node of the optimized graph."""
    trace: Mapping[str, Any]
    log: tuple[LogLine, ...]


def attempt(model: str | Path, soc: SoC, *, finalize: bool, quick: bool = False) -> SessionAttempt:
    """Ask QAIRT for the placement of every node; with ``finalize``, also compile the NPU part to the end.

    Without it, the real HTP validation runs on the composed graph and stops there
    (``dump_qnn_ir_dlc``), which takes a tenth of the time. ``quick`` asks for the compiler's faster preparation,
    which takes less than half of the time and takes some graphs that the default refuses.
    """
    with scratch_directory(memory_directory()) as scratch, captured_log() as log:
        # The intermediate file is as large as the weights and removed at once.
        directory = str(scratch)
        provider = {"enable_framework_op_trace": "1", "framework_op_trace_dir": directory}
        if quick:
            provider |= {"htp_graph_finalization_optimization_mode": "1"}
        if not finalize:
            provider |= {"dump_qnn_ir_dlc": "1", "dump_qnn_ir_dlc_dir": directory}
        error: str | None = None
        assignment: tuple[tuple[str, str, str], ...] = ()
        try:
            session = open_session(
                model, soc, provider=provider, config={"session.record_ep_graph_assignment_info": "1"}
            )
            assignment = tuple(
                (part.ep_name, node.name, node.op_type)
                for part in session.get_provider_graph_assignment_info()
                for node in part.get_nodes()
            )
        except Exception as failure:
            if type(failure).__module__.partition(".")[0] != "onnxruntime":
                raise
            error = str(failure)
        try:
            trace = json.loads((Path(directory) / "qnn_op_trace.json").read_text("utf-8"))
        except (OSError, ValueError):
            trace = {}
        return SessionAttempt(error, assignment, trace, tuple(log.lines))
