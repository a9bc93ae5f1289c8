"""Compile an ONNX model with QAIRT into context binaries and the EPContext model that loads them.

The bytes are deterministic: the same model, SoC and QAIRT give the same files, byte for byte, *when the
process has not created an NPU session before* (the compiler numbers its contexts by process). Compile in a
process of its own, as the jobs do. The one exception seen is an edge-mode ``Pad`` in fp16: the compiler
leaves memory unwritten there, and the numbers of such a package are wrong for the same reason.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

import onnx

from aipc.core.errors import PackageError, QairtError

from .compile_results import Compiled, MemoryTraffic
from .log_capture import captured_log
from .session import open_session
from .soc import SoC, get_soc

MODEL_NAME = "model.onnx"
LOG_NAME = "compile.log"
_COMPATIBILITY_KEY = "ep_compatibility_info"

# Field of MemoryTraffic -> the name in the compiler's log. Several graphs (partitions) are summed.
_TRAFFIC = {
    "spill_bytes": "spill_bytes",
    "fill_bytes": "fill_bytes",
    "read_bytes": "read_total_bytes",
    "write_bytes": "write_total_bytes",
    "spill_fill_buffer_bytes": "totalSpillFillBufferSize",
    "const_bytes": "constSize",
    "graph_io_bytes": "graphIOTensorSize",
}


def compile_context(model: str | Path, soc: str, out_dir: str | Path, *, allow_cpu: bool = True) -> Compiled:
    """Compile ``model`` for ``soc`` into ``out_dir``: ``model.onnx`` (EPContext) and its context binaries.

    Args:
        model: ONNX file with static shapes.
        soc: SoC by any name that ``soc.get_soc`` knows.
        out_dir: existing or new directory; the native log is kept there as ``compile.log``.
        allow_cpu: False makes any node that QAIRT leaves to the CPU an error.

    Raises:
        UnknownSoCError: no such SoC.
        QairtError: QAIRT refused the model; the sentence carries the log's own reason, ``detail`` the log
            lines.
    """
    chip = get_soc(soc)
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    target = out / MODEL_NAME
    config = {
        "ep.context_enable": "1",
        "ep.context_file_path": str(target),
        "ep.context_embed_mode": "0",
    }
    if not allow_cpu:
        config["session.disable_cpu_ep_fallback"] = "1"
    before = set(out.iterdir())
    failure = None
    with captured_log() as log:
        started = time.perf_counter()
        try:
            open_session(_without_path(Path(model)), chip, config=config)
        except Exception as error:
            failure = error
        seconds = time.perf_counter() - started
    lines = [text for line in log.lines for text in line.message.splitlines()]
    if failure is not None:
        _remove_new(out, before)
    log.write(out / LOG_NAME)
    if failure is not None:
        reason = failure_reason(str(failure), lines)
        raise QairtError(
            f"QAIRT could not compile {Path(model).name} for {chip.part}: {reason}",
            remedy="run `aipc check` to see which expressions are refused",
            detail="\n".join([str(failure), *error_lines(lines)]),
        ) from failure
    if not target.is_file():
        _remove_new(out, before | {out / LOG_NAME})
        raise QairtError(
            f"QAIRT placed no node of {Path(model).name} on the NPU of {chip.part}",
            remedy="run `aipc check` to see why",
            detail="\n".join(error_lines(lines)),
        )
    return _describe(target, chip, seconds, memory_traffic(lines))


def _without_path(path: Path) -> Path | bytes:
    """The model's bytes, so that its path, which onnxruntime hashes into the graph's name, is not in the binary.

    A model with its weights beside it has to be read from its path.
    """
    external = any(item != path and item.suffix == ".data" for item in path.parent.iterdir())
    return path if external else _with_own_name(path.read_bytes())


def _with_own_name(model: bytes) -> bytes:
    """The same model, one of its values named by the model's content.

    onnxruntime makes the name of the graph inside the binary from the names of the values. Two models that differ in
    shapes or weights alone would have one name, and Genie, which loads both into one context, refuses that.
    """
    proto = onnx.load_from_string(model)
    names = {value.name for value in (*proto.graph.input, *proto.graph.output)}
    inner = (name for node in proto.graph.node for name in node.output if name and name not in names)
    old = next(inner, None)
    if old is None:
        return model
    _rename_value(proto.graph, old, f"{old}_{hashlib.sha256(model).hexdigest()[:12]}")
    renamed: bytes = proto.SerializeToString()
    return renamed


def _rename_value(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Rename a value wherever a graph or one of its sub-graphs writes, reads or describes it."""
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename_value(inner, old, new)
    for value in graph.value_info:
        if value.name == old:
            value.name = new


def read_context(model: str | Path) -> tuple[onnx.ModelProto, tuple[str, ...], tuple[Path, ...]]:
    """An EPContext model, its compatibility strings, and the paths of its binaries.

    Raises:
        PackageError: not an EPContext model, or a binary is missing.
    """
    path = Path(model)
    try:
        proto = onnx.load(str(path), load_external_data=False)
    except Exception as error:
        raise PackageError(f"{path.name} is not a readable ONNX file", detail=str(error)) from error
    names = [
        attribute.s.decode()
        for node in proto.graph.node
        if node.op_type == "EPContext"
        for attribute in node.attribute
        if attribute.name == "ep_cache_context"
    ]
    if not names:
        raise PackageError(f"{path.name} holds no compiled NPU graph", remedy="deploy the model again")
    binaries = tuple(path.parent / name for name in dict.fromkeys(names))
    missing = [binary.name for binary in binaries if not binary.is_file()]
    if missing:
        raise PackageError(f"the context binary {missing[0]} is missing", remedy="deploy the model again")
    declared = tuple(prop.value for prop in proto.metadata_props if prop.key.startswith(_COMPATIBILITY_KEY))
    return proto, declared, binaries


def compatibility(declared: str) -> tuple[int, int]:
    """(HTP arch, SoC id) of a compatibility string such as ``v2:6:2.51.0:5.51.0:75:57:0:0``.

    Raises:
        PackageError: another format.
    """
    fields = declared.split(":")
    if len(fields) < 6 or not (fields[4].isdigit() and fields[5].isdigit()):
        raise PackageError(
            f"the package's compatibility string {declared!r} is not known",
            remedy="deploy again with this version",
        )
    return int(fields[4]), int(fields[5])


def check_chip(declared: Sequence[str], htp_arch: int, soc_id: int, part: str) -> None:
    """Raise PackageError unless every context was compiled for this chip. The simulator itself does not
    check.
    """
    for text in declared:
        arch, chip = compatibility(text)
        if (arch, chip) != (htp_arch, soc_id):
            raise PackageError(
                f"the package was compiled for SoC {chip} (HTP v{arch}), not for {part} ({soc_id}, HTP v{htp_arch})",
                remedy=f"deploy the model for {part}",
            )


def memory_traffic(lines: Sequence[str]) -> MemoryTraffic:
    """The compiler's own memory figures in its verbose log, summed over the graphs of a model."""
    totals: dict[str, int] = {}
    for line in lines:
        for field, name in _TRAFFIC.items():
            match = re.search(rf"(?:^|\s){name}=(\d+)\b", line)
            if match:
                totals[field] = totals.get(field, 0) + int(match[1])
    return MemoryTraffic(**totals)


def error_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a log that say what failed, in order, without repetition."""
    pattern = re.compile(r"<E>|::ERROR|could not create op|not sufficiently tiled|pool is too big|limit is \d+ KB")
    return list(dict.fromkeys(line.strip() for line in lines if pattern.search(line)))


def failure_reason(error: str, lines: Sequence[str]) -> str:
    """The most telling line of a failed session: a cause from the log if there is one, else the error
    itself.
    """
    causes = (
        r"Operator named .* not sufficiently tiled to fit in TCM\. Requires \d+ bytes",
        r"DDR-tensor memory pool is too big: \d+ bytes",
        r"graph requires estimated allocation of \d+ KB, limit is \d+ KB",
        r"\"[^\"]+\" generated: could not create op",
        r"The SocModel doesn't support FP16",
    )
    for cause in causes:
        for line in lines:
            match = re.search(cause, line)
            if match:
                return match[0]
    return error.strip().splitlines()[0] if error.strip() else "it gave no reason"


def _describe(target: Path, chip: SoC, seconds: float, traffic: MemoryTraffic) -> Compiled:
    proto, declared, binaries = read_context(target)
    check_chip(declared, chip.htp_arch, chip.soc_id, chip.part)
    if not declared:
        raise QairtError(f"{target.name} does not say which chip it was compiled for", remedy="update onnxruntime-qnn")
    files = (target, *binaries)
    return Compiled(
        model=str(target),
        binaries=tuple(str(binary) for binary in binaries),
        sizes={file.name: file.stat().st_size for file in files},
        sha256={file.name: _sha256(file) for file in files},
        soc=chip.part,
        htp_arch=chip.htp_arch,
        soc_id=chip.soc_id,
        qairt=declared[0].split(":")[2],
        compatibility=declared,
        npu_partitions=sum(node.op_type == "EPContext" for node in proto.graph.node),
        cpu_nodes=tuple(node.name for node in proto.graph.node if node.op_type != "EPContext"),
        seconds=seconds,
        traffic=traffic,
        log=str(target.parent / LOG_NAME),
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _remove_new(out: Path, before: set[Path]) -> None:
    for path in set(out.iterdir()) - before:
        if path.is_file():
            path.unlink()
