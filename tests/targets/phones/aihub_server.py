"""AI Hub on the loopback, in the messages of its own client (qai_hub.public_api_pb2); runs in the client's Python.

    python aihub_server.py STATE_DIRECTORY PYTHON_WITH_QAIRT

Models and datasets are kept as they were uploaded. A job really runs the uploaded context binary, in the simulator by
``run_binary.py``; its times are the host's. What it is told to do wrong lies as files in STATE_DIRECTORY: ``fail`` (the
words of a failed job).
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import h5py
import numpy
from qai_hub import public_api_pb2 as pb
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5, h5_to_dataset_entries

STATE, PYTHON = Path(sys.argv[1]), sys.argv[2]
# The simulator runs in the other Python, which is not to see this one's libraries.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
TOKEN = "token-of-the-test"
DEVICES = (
    ("Test Galaxy S24", "14", ["os:android", "framework:qnn", "vendor:test", "soc-model:57", "hexagon:v75"]),
    ("Test Galaxy S25", "15", ["os:android", "framework:qnn", "vendor:test", "soc-model:69", "hexagon:v79"]),
    ("Test Phone of another maker", "15", ["os:android", "vendor:other"]),
)
numbers = itertools.count(1)
jobs: dict[str, pb.InferenceJob | pb.CompileJob] = {}
results: dict[str, pb.InferenceJobResult] = {}


def start(request: pb.Job) -> str:
    """Keep a job under a new identity."""
    identity = f"j{len(jobs)}"
    if request.HasField("compile_job"):
        job = request.compile_job
        job.compile_job_id = identity
        job.target_model.CopyFrom(model_of(f"compiled-{identity}"))  # the client asks that it be named at once
    else:
        job = request.inference_job
        job.inference_job_id = identity
    job.job_state = pb.JOB_STATE_CREATED
    jobs[identity] = job
    return identity


def look(identity: str) -> pb.Job:
    """A job as it is now. Its work is done when it is asked for the third time."""
    job = jobs[identity]
    compiling = isinstance(job, pb.CompileJob)
    if job.job_state == pb.JOB_STATE_CREATED:
        job.job_state = pb.JOB_STATE_OPTIMIZING_MODEL if compiling else pb.JOB_STATE_PROVISIONING_DEVICE
    elif job.job_state in (pb.JOB_STATE_OPTIMIZING_MODEL, pb.JOB_STATE_PROVISIONING_DEVICE):
        compile_graph(job, identity) if compiling else run(job, identity)
    return pb.Job(compile_job=job) if compiling else pb.Job(inference_job=job)


def compile_graph(job: pb.CompileJob, identity: str) -> None:
    """Compile the uploaded ONNX file into a context binary, with QAIRT's own compiler."""
    chip = next(word for word in job.devices.devices[0].attributes if word.startswith("soc-model:"))
    program = Path(__file__).with_name("compile_binary.py")
    made = STATE / f"model-compiled-{identity}"
    command = [PYTHON, str(program), str(STATE / f"model-{job.model.model_id}"), chip.partition(":")[2], str(made)]
    finished = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if finished.returncode != 0:
        job.job_state, job.failure_reason = pb.JOB_STATE_FAILED, finished.stderr[-500:]
        return
    job.job_state = pb.JOB_STATE_DONE


def model_of(identity: str) -> pb.Model:
    return pb.Model(
        model_id=identity, name="compiled", model_type=pb.MODEL_TYPE_QNN_CONTEXT_BINARY, file_upload_complete=True
    )


def run(job: pb.InferenceJob, identity: str) -> None:
    """Run the job now; its state and its result are asked for later."""
    fail = STATE / "fail"
    if fail.is_file():
        job.job_state, job.failure_reason = pb.JOB_STATE_FAILED, fail.read_text()
        return
    given, made = STATE / f"{identity}-in.npz", STATE / f"{identity}-out.npz"
    with h5py.File(STATE / f"dataset-{job.dataset.dataset_id}", "r") as stored:
        numpy.savez(given, **{name: values[0] for name, values in h5_to_dataset_entries(stored).items()})
    program = Path(__file__).with_name("run_binary.py")
    command = [PYTHON, str(program), str(STATE / f"model-{job.model.model_id}"), str(given), str(made)]
    finished = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    if finished.returncode != 0:
        job.job_state, job.failure_reason = pb.JOB_STATE_FAILED, finished.stderr[-500:]
        return
    with numpy.load(made) as arrays, h5py.File(STATE / f"dataset-out-{identity}", "w") as stored:
        dataset_entries_to_h5({name: [arrays[name]] for name in arrays.files}, stored)
    times = json.loads(finished.stdout.splitlines()[-1])
    job.job_state = pb.JOB_STATE_DONE
    detail = pb.ProfileDetail(
        execution_time=min(times),
        major_version=1,
        minor_version=2,
        all_execution_times=times,
        layer_details=[
            pb.LayerDetail(
                name="conv", layer_type_name="Conv2d", compute_unit=pb.COMPUTE_UNIT_NPU, execution_cycles=1234
            )
        ],
    )
    results[identity] = pb.InferenceJobResult(
        inference_job_id=identity, output_dataset_id=f"out-{identity}", detail=detail
    )


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer("GET")

    def do_POST(self) -> None:
        self.answer("POST")

    def do_PUT(self) -> None:
        self.answer("PUT")

    def do_PATCH(self) -> None:
        self.answer("PATCH")

    def answer(self, method: str) -> None:
        url = urlparse(self.path)
        body = self.read_body()
        parts = [part for part in url.path.split("/") if part]
        with (STATE / "requests.log").open("a") as log:
            log.write(f"{method} {url.path} {len(body)}\n")
        if parts[:1] == ["storage"]:
            self.storage(method, parts[1], body)
            return
        if self.headers.get("Authorization") != f"token {TOKEN}":
            self.send(401, b"")
            return
        message = self.api(method, parts[2:], parse_qs(url.query), body)
        if message is None:
            self.send(404, b"")
            return
        self.send(200, message.SerializeToString(), **{"Content-Type": "application/x-protobuf"})

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def storage(self, method: str, name: str, body: bytes) -> None:
        path = STATE / name
        if method == "GET":
            self.send(200, path.read_bytes())
            return
        if method == "POST":  # a form with one file, as to S3
            boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
            part = body.split(b"--" + boundary)[-2]
            body = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        path.write_bytes(body)
        self.send(200, b"", ETag='"etag"')

    def here(self, name: str) -> str:
        return f"http://{self.headers['Host']}/storage/{name}"

    def api(self, method: str, parts: list[str], query: dict[str, list[str]], body: bytes):
        number = str(next(numbers))
        if parts == ["devices"]:
            name = query.get("name", [""])[0]
            found = [item for item in DEVICES if name in ("", item[0])]
            return pb.DeviceList(devices=[pb.Device(name=n, os=o, attributes=a) for n, o, a in found])
        if parts == ["models"] and method == "POST":
            (STATE / f"named-{number}").write_text(pb.Model.FromString(body).name)
            return pb.CreateUpdateResponse(id=f"m{number}")
        if parts[:1] == ["models"] and parts[2:] == ["multipart_upload"]:
            return self.model_upload(method, parts[1], int(query.get("file_size", ["0"])[0]))
        if parts == ["datasets"] and method == "POST":
            (STATE / f"dataset-d{number}").write_bytes(b"")
            return pb.CreateUpdateResponse(id=f"d{number}")
        if parts[:1] == ["datasets"] and parts[2:] == ["upload_url"]:
            place = pb.FileUploadURL(url=self.here(f"dataset-{parts[1]}"), file_field_name="file")
            return pb.FileUploadResponse(url=place)
        if parts[:1] == ["datasets"] and parts[2:] == ["download_data"]:
            place = pb.FileDownloadURL(url=self.here(f"dataset-{parts[1]}"), filename="outputs.h5")
            return pb.FileDownloadResponse(url=place)
        if parts == ["models"] and method == "GET":
            return pb.ModelList(models=[model_of(f"compiled-{query['producer'][0]}")])
        if parts[:1] in (["datasets"], ["models"]) and method in ("PATCH", "POST"):
            return pb.CreateUpdateResponse(id=parts[1])
        if parts[:1] == ["datasets"] and len(parts) == 2:
            return pb.Dataset(dataset_id=parts[1], name="outputs")
        if parts[:1] == ["models"] and len(parts) == 2 and method == "GET":
            return model_of(parts[1])
        if parts == ["jobs"] and method == "POST":
            return pb.CreateUpdateResponse(id=start(pb.Job.FromString(body)))
        if parts[:1] == ["jobs"] and len(parts) == 2:
            return look(parts[1])
        if parts[:1] == ["jobs"] and parts[2:] == ["result"]:
            return pb.JobResult(inference_job_result=results[parts[1]])
        return None

    def model_upload(self, method: str, model: str, size: int):
        if method == "POST":
            return pb.CreateUpdateResponse(id=model)
        place = pb.FileMultipartUploadURL(urls=[self.here(f"model-{model}")], upload_id="upload", max_part_size=size)
        return pb.FileUploadResponse(multipart_url=place)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()
