"""Measure the language server at its client: start, save to findings, answers meanwhile, memory over a session.

``python benchmarks/editor.py [--saves N] [--only NAME,...] [--update PAGE]``. Each save changes the graph by a constant
of its own, so nothing comes from the cache. Beside it, in the same run: a bare ``torch.onnx.export`` of that file in
a warm process, which is what a script would do to learn less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient
from table import machine, update

EXAMPLES = Path(__file__).parents[1] / "examples"
THREE_PROBLEMS = (
    (EXAMPLES / "three-problems/model.py").read_text("utf-8").replace("return torch", "return SCALE * torch")
)
YOLOV8N = """
import torch
from torch import nn
from ultralytics.nn.tasks import DetectionModel


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.yolo = DetectionModel("yolov8n.yaml", verbose=False).eval()

    def forward(self, images):
        return SCALE * self.yolo(images)[0]
"""
MODELS = {
    "three-problems": (
        THREE_PROBLEMS,
        "Tracker",
        'inputs = { frames = "float32[2,4,8,16,16]", links = "float32[2,6,4,8]" }',
    ),
    "yolov8n": (YOLOV8N, "Scaled", 'inputs = { images = "float32[1,3,640,640]" }'),
}
BARE = """
import importlib.util, io, json, sys, time, torch
path, name, shapes, times = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
seconds = []
for number in range(times + 1):
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = time.perf_counter()
    model = getattr(module, name)().eval()
    torch.onnx.export(model, tuple(torch.rand(shape) for shape in shapes), io.BytesIO(), dynamo=True, verbose=False)
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds[1:]))
"""


class Client:
    """A language client that counts refreshes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refreshed = asyncio.Event()
        self.client = LanguageClient("bench", "1")
        self.client.feature(lsp.WORKSPACE_DIAGNOSTIC_REFRESH)(lambda _: self.refreshed.set())
        for name in (lsp.WORKSPACE_INLAY_HINT_REFRESH, "aipc/results", "aipc/checking", lsp.WINDOW_LOG_MESSAGE):
            self.client.feature(name)(lambda _: None)
        self.version = 0

    async def start(self) -> float:
        """Seconds from starting the process to ``initialized``."""
        started = time.perf_counter()
        await self.client.start_io(sys.executable, "-m", "aipc.lsp")
        workspace = lsp.WorkspaceClientCapabilities(
            diagnostics=lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
        )
        parameters = lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(workspace=workspace), root_uri=self.folder.as_uri()
        )
        await self.client.initialize_async(parameters)
        seconds = time.perf_counter() - started
        self.client.initialized(lsp.InitializedParams())
        return seconds

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.client._server.pid)  # type: ignore[attr-defined]

    def open(self, path: Path) -> str:
        document = lsp.TextDocumentItem(path.as_uri(), lsp.LanguageKind.Python, 1, path.read_text("utf-8"))
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return path.as_uri()

    def change(self, path: Path, text: str) -> None:
        self.version += 1
        document = lsp.VersionedTextDocumentIdentifier(self.version + 1, path.as_uri())
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [whole]))

    async def save(self, path: Path, text: str) -> float:
        """Seconds from the save to the moment when new findings can be pulled."""
        self.change(path, text)
        path.write_text(text, "utf-8")
        self.refreshed.clear()
        started = time.perf_counter()
        self.client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(path.as_uri())))
        await asyncio.wait_for(self.refreshed.wait(), 300)
        await self.pull(path)
        return time.perf_counter() - started

    async def pull(self, path: Path) -> int:
        identifier = lsp.TextDocumentIdentifier(path.as_uri())
        report = await self.client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(identifier))
        return len(report.items)

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()


def project(folder: Path, name: str) -> Path:
    source, factory, inputs = MODELS[name]
    folder.mkdir()
    path = folder / "model.py"
    path.write_text(scaled(source, 0), "utf-8")
    configuration = f'[tool.aipc.models.{name}]\nentry = "model.py:{factory}"\n{inputs}\n'
    (folder / "pyproject.toml").write_text(configuration, "utf-8")
    return path


def scaled(source: str, number: int) -> str:
    return source.replace("SCALE", f"{1 + number / 1024}")


async def saves(folder: Path, name: str, count: int) -> list[str]:
    path = project(folder / name, name)
    client = Client(path.parent)
    await client.start()
    client.open(path)
    source = MODELS[name][0]
    await client.save(path, scaled(source, 1))  # the workers' imports
    changing = [await client.save(path, scaled(source, number + 2)) for number in range(count)]
    same = [await client.save(path, f"{scaled(source, count + 1)}\n# {number}\n") for number in range(5)]
    waits = await answers_during(client, path, scaled(source, count + 2))
    await client.stop()
    shapes = {"three-problems": [[2, 4, 8, 16, 16], [2, 6, 4, 8]], "yolov8n": [[1, 3, 640, 640]]}[name]
    command = [sys.executable, "-c", BARE, str(path), MODELS[name][1], json.dumps(shapes), "3"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    bare = statistics.median(json.loads(finished.stdout.strip().splitlines()[-1]))
    median, late = statistics.median(changing), quantile(changing, 0.95)
    return [
        f"| {name}: save to findings, median of {count} | {median:.2f} s | {median / bare:.2f} × bare export |",
        f"| {name}: save to findings, p95 | {late:.2f} s | |",
        f"| {name}: save of a comment, median | {statistics.median(same):.2f} s | no export, no compile |",
        f"| {name}: bare torch.onnx.export, warm | {bare:.2f} s | |",
        f"| {name}: a request meanwhile, p99 | {1000 * quantile(waits, 0.99):.0f} ms | of {len(waits)} |",
    ]


async def answers_during(client: Client, path: Path, text: str) -> list[float]:
    """Seconds that a pull takes while a check runs."""
    waits: list[float] = []
    task = asyncio.ensure_future(client.save(path, text))
    while not task.done():
        started = time.perf_counter()
        await client.pull(path)
        waits.append(time.perf_counter() - started)
        await asyncio.sleep(0.005)
    return waits


async def session(folder: Path, edits: int, count: int) -> list[str]:
    """Memory of the server process over a session of edits and saves, and how fast it starts."""
    path = project(folder / "session", "three-problems")
    starts = []
    for _ in range(5):
        client = Client(path.parent)
        starts.append(await client.start())
        await client.stop()
    client = Client(path.parent)
    await client.start()
    client.open(path)
    source = MODELS["three-problems"][0]
    await client.save(path, scaled(source, 1))
    before = client.process.memory_info().rss
    for number in range(count):
        for edit in range(edits // count):
            client.change(path, f"{scaled(source, number)}\n# {edit}\n")
            await client.pull(path)
        await client.save(path, scaled(source, number % 8))
    after = client.process.memory_info().rss
    children = client.process.children(recursive=True)
    await client.stop()
    gone, alive = psutil.wait_procs(children, timeout=10)
    return [
        f"| server start to initialized, median of 5 | {statistics.median(starts):.2f} s | |",
        f"| server memory before and after {edits} edits and {count} saves | "
        f"{before / 2**20:.0f} → {after / 2**20:.0f} MiB | {100 * (after - before) / before:+.0f} % |",
        f"| processes left after the session | {len(alive)} | of {len(gone) + len(alive)} |",
    ]


async def many(folder: Path) -> list[str]:
    """20 files with 2 models each, all saved at once: how long the visible one waits."""
    root = folder / "many"
    root.mkdir()
    paths = []
    for number in range(20):
        classes = "\n\n\n".join(
            f"class Net{number}{part}(nn.Module):\n    def forward(self, x):\n"
            f"        return torch.relu(x) * {number + part / 2}\n\n    @staticmethod\n"
            "    def example_inputs():\n        return (torch.rand(1, 3, 8, 8),)"
            for part in range(2)
        )
        paths.append(root / f"net{number}.py")
        paths[-1].write_text(f"import torch\nfrom torch import nn\n\n\n{classes}\n", "utf-8")
    client = Client(root)
    await client.start()
    for path in paths:
        client.open(path)
    visible = paths[0]
    client.client.protocol.notify("aipc/visible", {"uris": [visible.as_uri()]})
    await client.save(paths[1], paths[1].read_text("utf-8"))
    started = time.perf_counter()
    for path in (*paths[1:], visible):
        identifier = lsp.TextDocumentIdentifier(path.as_uri())
        client.client.text_document_did_save(lsp.DidSaveTextDocumentParams(identifier))
    first = None
    peak = 0
    deadline = started + 300
    hints = lsp.Range(lsp.Position(0, 0), lsp.Position(99, 0))
    while time.perf_counter() < deadline:
        answered = 0
        for path in paths:
            parameters = lsp.InlayHintParams(lsp.TextDocumentIdentifier(path.as_uri()), hints)
            shown = await client.client.text_document_inlay_hint_async(parameters)
            answered += len(shown or []) >= 2
            if path == visible and len(shown or []) >= 2 and first is None:
                first = time.perf_counter() - started
        jobs = [child for child in client.process.children(recursive=True) if child.status() == psutil.STATUS_RUNNING]
        peak = max(peak, len(jobs))
        if answered == len(paths):
            break
        await asyncio.sleep(0.05)
    whole = time.perf_counter() - started
    await client.stop()
    return [
        f"| 20 files, 40 models saved at once: the visible file | {first or 0:.2f} s | all {whole:.1f} s |",
    ]


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


async def measure(names: Sequence[str], count: int, folder: Path) -> list[str]:
    rows = []
    if "session" in names:
        rows += await session(folder, 5 * max(count * 5, 20), max(count * 5, 20))
    if "many" in names:
        rows += await many(folder)
    for name in MODELS:
        if name in names:
            rows += await saves(folder, name, count)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--only", default=",".join(["session", "many", *MODELS]))
    parser.add_argument("--update", type=Path, metavar="PAGE", help="write the table between the page's markers")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aipc-bench-") as directory:
        os.environ["AIPC_CACHE_DIR"] = str(Path(directory) / "cache")
        rows = asyncio.run(measure(arguments.only.split(","), arguments.saves, Path(directory)))
    text = "\n".join(["| in the editor | | |", "| --- | --- | --- |", *rows, "", machine()])
    print(text)
    if arguments.update:
        update(arguments.update, text, "bench-editor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
