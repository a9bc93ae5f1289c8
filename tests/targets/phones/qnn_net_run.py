"""Stands in for ``qnn-net-run`` on the test phone: takes its arguments and files, and really runs the context binary.

QAIRT's simulator of onnxruntime-qnn runs it, through an EPContext model that is made from what the binary itself says.
The real program was not to be had: what is known of its arguments, files and output names is in docs/phones.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import time
from pathlib import Path

COLUMNS = (
    "Msg Timestamp",
    "Message",
    "Time",
    "Unit of Measurement",
    "Timing Source",
    "Event Level",
    "Event Identifier",
)
PERFORMANCE = ("low_balanced", "balanced", "default", "high_performance", "sustained_high_performance", "burst")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="qnn-net-run", allow_abbrev=False)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--retrieve_context", required=True)
    parser.add_argument("--input_list", required=True)
    parser.add_argument("--output_dir", default="./output")
    parser.add_argument("--use_native_input_files", action="store_true")
    parser.add_argument("--use_native_output_files", action="store_true")
    parser.add_argument("--perf_profile", choices=PERFORMANCE, default="default")
    parser.add_argument("--profiling_level", choices=("basic", "detailed"))
    parser.add_argument("--num_inferences", type=int, default=1)
    parser.add_argument("--keep_num_outputs", type=int, default=1)
    parser.add_argument("--log_level", choices=("error", "warn", "info", "debug", "verbose"))
    return parser.parse_args()


def read_list(path: str, names: list[str]) -> dict[str, Path]:
    """One line: ``name:=file`` or files in the graph's order. Lines of # and % name outputs."""
    lines = [line for line in Path(path).read_text().splitlines() if line.strip() and line[0] not in "#%"]
    words = lines[0].split()
    if all(":=" in word for word in words):
        return {name: Path(file) for name, file in (word.split(":=", 1) for word in words)}
    return {name: Path(file) for name, file in zip(names, words, strict=True)}


def wrap(binary: Path, graph, directory: Path) -> Path:
    """An EPContext model around a context binary, from the binary's own description."""
    import onnx
    from onnx import TensorProto, helper

    types = {
        "float32": TensorProto.FLOAT,
        "float16": TensorProto.FLOAT16,
        "int64": TensorProto.INT64,
        "int32": TensorProto.INT32,
        "uint8": TensorProto.UINT8,
        "uint16": TensorProto.UINT16,
        "int8": TensorProto.INT8,
        "bool": TensorProto.BOOL,
    }
    shutil.copyfile(binary, directory / "context.bin")

    def values(tensors):
        return [helper.make_tensor_value_info(item.name, types[item.dtype], item.shape) for item in tensors]

    node = helper.make_node(
        "EPContext",
        [tensor.name for tensor in graph.inputs],
        [tensor.name for tensor in graph.outputs],
        name=graph.name,
        domain="com.microsoft",
        embed_mode=0,
        main_context=1,
        ep_cache_context="context.bin",
        source="QNN",
        partition_name=graph.name,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(
        helper.make_graph([node], "binary", values(graph.inputs), values(graph.outputs)), opset_imports=opsets
    )
    model.ir_version = 9
    path = directory / "wrapped.onnx"
    onnx.save(model, str(path))
    return path


def main() -> int:
    given = arguments()
    runtime = Path(given.backend).parent
    log = {
        "arguments": sys.argv[1:],
        "directory": str(Path.cwd()),
        "input_list": Path(given.input_list).read_text(),
        "libraries": os.environ.get("PHONE_LD_LIBRARY_PATH", ""),
        "adsp": os.environ.get("ADSP_LIBRARY_PATH", ""),
    }
    phone = Path(os.environ["PHONE"])
    (phone / "net_run.json").write_text(json.dumps(log))
    if (phone / "stop").is_file():
        time.sleep(float((phone / "stop").read_text()))
    if (phone / "say").is_file():
        print((phone / "say").read_text(), file=sys.stderr)
        return 1
    skels = list(runtime.glob("libQnnHtpV*Skel.so"))
    searched = os.environ.get("ADSP_LIBRARY_PATH", "").split(";")[0]
    if not skels or Path(searched) != runtime:
        print("[ ERROR ] Failed to load skel, error: 4000\nDevice Creation failure, error: 14001", file=sys.stderr)
        return 1
    return run(given, Path("out" if not given.output_dir else given.output_dir))


def run(given: argparse.Namespace, out: Path) -> int:
    import numpy as np

    from aipc.qairt.context_info import read_context_info
    from aipc.qairt.session import open_session
    from aipc.qairt.soc import all_socs

    info = read_context_info(given.retrieve_context)
    graph = info.graphs[0]
    chip = next(soc for soc in all_socs() if soc.soc_id == info.soc_model)
    out.mkdir(parents=True, exist_ok=True)
    work = out / "work"
    work.mkdir()
    table = work / "profile.csv"
    provider = (
        {"profiling_level": "detailed", "profiling_file_path": str(table)}
        if given.profiling_level == "detailed"
        else {}
    )
    session = open_session(wrap(Path(given.retrieve_context), graph, work), chip, provider=provider, verbose=False)
    files = read_list(given.input_list, [tensor.name for tensor in graph.inputs])
    feeds = {
        tensor.name: np.frombuffer(files[tensor.name].read_bytes(), tensor.dtype).reshape(tensor.shape)
        for tensor in graph.inputs
    }
    rows = []
    for index in range(given.num_inferences):
        started = time.perf_counter()
        values = session.run(None, feeds)
        micros = int((time.perf_counter() - started) * 1e6)
        rows += [["0", "EXECUTE", micros, "US", "NETRUN", "ROOT", f"Graph 0 ({graph.name})"]]
        rows += [["0", "EXECUTE", micros - 1, "US", "BACKEND", "ROOT", "QNN accelerator (execute) time"]]
        if index < given.keep_num_outputs:
            save(out / f"Result_{index}", graph, values, native=given.use_native_output_files)
    del session
    if given.profiling_level:
        measured = list(csv.reader(table.open(newline=""))) if table.is_file() else []
        nodes = [row for row in measured if len(row) > 1 and row[1] == "NODE"]
        with (out / "qnn-profiling-data_0.log").open("w", newline="") as stream:
            csv.writer(stream).writerows([COLUMNS, *rows, *(row[:7] for row in nodes)])
    shutil.rmtree(work)
    return 0


def save(directory: Path, graph, values, *, native: bool) -> None:
    directory.mkdir()
    for tensor, value in zip(graph.outputs, values, strict=True):
        path = directory / f"{tensor.name}{'_native' if native else ''}.raw"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((value if native else value.astype("float32")).tobytes())


if __name__ == "__main__":
    sys.exit(main())
