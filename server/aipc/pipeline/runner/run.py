#!/usr/bin/env python3
"""Run this package on the device. Needs onnxruntime, onnxruntime-qnn and numpy, nothing else.

    python run.py --self-test                      compare with the golden outputs
    python run.py --input x.npz --output y.npz     run on your own inputs

Exit status: 0 done, 1 the self-test failed, 2 could not run.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class PackageProblem(Exception):
    """One sentence for the person in front of the device."""


def read_manifest():
    try:
        return json.loads((HERE / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PackageProblem("manifest.json is missing or damaged (%s): copy the package again" % error)


def check_files(manifest):
    for name, digest in manifest["files"].items():
        path = HERE / name
        if not path.is_file():
            raise PackageProblem("%s is missing: copy the package again" % name)
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise PackageProblem("%s is damaged: copy the package again" % name)


def load_libraries():
    try:
        import numpy
        import onnxruntime
        import onnxruntime_qnn
    except ImportError as error:
        raise PackageProblem("%s: run pip install onnxruntime onnxruntime-qnn numpy" % error)
    return numpy, onnxruntime, onnxruntime_qnn


def check_qairt(manifest, onnxruntime_qnn):
    installed = getattr(onnxruntime_qnn.build_and_package_info, "qnn_version", "")
    needed = manifest["qairt"]
    # A context binary runs on the QAIRT that made it or a newer one of the same major version.
    if installed and needed:
        have = [int(part) for part in installed.split(".")[:2]]
        want = [int(part) for part in needed.split(".")[:2]]
        if have[0] != want[0] or have < want:
            raise PackageProblem(
                "QAIRT %s is installed and the package was compiled with %s: install a matching onnxruntime-qnn "
                "or deploy the model again" % (installed, needed)
            )
    return installed


def check_chip(manifest, expected):
    if expected and expected.lower() not in {manifest["soc"], str(manifest["soc_model"])}:
        raise PackageProblem(
            "the package was compiled for %s and this device is %s: deploy the model for it"
            % (manifest["soc"], expected)
        )


def open_session(manifest, onnxruntime, onnxruntime_qnn):
    onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
    if not devices:
        raise PackageProblem("onnxruntime finds no NPU here: check the drivers and onnxruntime-qnn")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_provider_for_devices(
        devices,
        {
            "backend_path": onnxruntime_qnn.get_qnn_htp_path(),
            "soc_model": str(manifest["soc_model"]),
            "htp_arch": str(manifest["htp_arch"]),
        },
    )
    try:
        return onnxruntime.InferenceSession(str(HERE / manifest["entry"]), options)
    except Exception as error:
        raise PackageProblem("QAIRT cannot load the package: %s" % str(error).strip().splitlines()[0])


def read_inputs(numpy, manifest, path):
    try:
        with numpy.load(path, allow_pickle=False) as data:
            given = {name: data[name] for name in data.files}
    except Exception as error:
        raise PackageProblem("%s is not a .npz file that can be read: %s" % (path, error))
    inputs = {}
    for spec in manifest["inputs"]:
        name = spec["name"]
        if name not in given:
            raise PackageProblem("%s has no array %r: it has %s" % (path, name, ", ".join(given) or "none"))
        array = given[name]
        if list(array.shape) != list(spec["shape"]) or array.dtype.name != spec["dtype"]:
            raise PackageProblem(
                "array %r is %s%s and the package takes %s%s"
                % (name, array.dtype.name, list(array.shape), spec["dtype"], list(spec["shape"]))
            )
        inputs[name] = array
    return inputs


def sqnr_db(numpy, reference, actual):
    reference = numpy.asarray(reference, dtype=numpy.float64)
    noise = numpy.sum((reference - numpy.asarray(actual, dtype=numpy.float64)) ** 2)
    signal = numpy.sum(reference**2)
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 and math.isfinite(noise) else -math.inf


def self_test(numpy, manifest, outputs):
    """SQNR in dB of every output against the golden ones (PyTorch, fp32), and whether all are in tolerance."""
    results = {}
    with numpy.load(HERE / "golden" / "outputs.npz", allow_pickle=False) as golden:
        for spec in manifest["outputs"]:
            results[spec["name"]] = sqnr_db(numpy, golden[spec["name"]], outputs[spec["name"]])
    # The threshold is what the package passed when it was verified, with a margin for another device.
    threshold = manifest["self_test_sqnr_db"]
    return results, all(value >= threshold for value in results.values()), threshold


def keep_stdout():
    """The real stdout; from here on, what native libraries print there goes to stderr."""
    sys.stdout.flush()
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stdout


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    parser = argparse.ArgumentParser(description="Run this package.")
    parser.add_argument("--self-test", action="store_true", help="run the golden inputs and compare")
    parser.add_argument("--input", help=".npz file, one array for each input")
    parser.add_argument("--output", help="where to write the outputs (.npz)")
    parser.add_argument("--repeat", type=int, default=1, help="how often to run")
    parser.add_argument("--soc", help="refuse to run when the package is for another chip")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    arguments = parser.parse_args()
    stdout = keep_stdout()
    manifest = read_manifest()
    check_files(manifest)
    check_chip(manifest, arguments.soc)
    numpy, onnxruntime, onnxruntime_qnn = load_libraries()
    qairt = check_qairt(manifest, onnxruntime_qnn)
    source = arguments.input or str(HERE / "golden" / "inputs.npz")
    inputs = read_inputs(numpy, manifest, source)
    session = open_session(manifest, onnxruntime, onnxruntime_qnn)
    names = [output.name for output in session.get_outputs()]
    seconds = []
    values = []
    for _ in range(max(1, arguments.repeat)):
        started = time.perf_counter()
        values = session.run(names, inputs)
        seconds.append(time.perf_counter() - started)
    outputs = dict(zip(names, values))
    if arguments.output:
        numpy.savez(arguments.output, **outputs)
    simulated = platform.machine().lower() in {"x86_64", "amd64"}
    report = {
        "model": manifest["model"],
        "soc": manifest["soc"],
        "qairt": qairt,
        "onnxruntime": onnxruntime.__version__,
        "machine": platform.machine(),
        "host_seconds": min(seconds),
        "outputs": {name: {"shape": list(array.shape), "dtype": array.dtype.name} for name, array in outputs.items()},
        # The simulator's time is the host computer's and says nothing of a device.
        "latency": None
        if simulated
        else {
            "repetitions": len(seconds),
            "p50_ms": percentile(seconds, 0.5) * 1e3,
            "p90_ms": percentile(seconds, 0.9) * 1e3,
            "p99_ms": percentile(seconds, 0.99) * 1e3,
        },
    }
    status = 0
    if arguments.self_test:
        results, passed, threshold = self_test(numpy, manifest, outputs)
        report["self_test"] = {
            "passed": passed,
            "threshold_sqnr_db": threshold,
            "sqnr_db": {name: value if math.isfinite(value) else str(value) for name, value in results.items()},
        }
        status = 0 if passed else 1
    if arguments.json:
        print(json.dumps(report, indent=2), file=stdout)
    else:
        lines = ["%s for %s ran on %s" % (manifest["model"], manifest["soc"], platform.machine())]
        for name, value in report.get("self_test", {}).get("sqnr_db", {}).items():
            shown = value if isinstance(value, str) else "%.1f" % value
            lines.append("  output %s: SQNR %s dB against PyTorch" % (name, shown))
        if arguments.self_test:
            lines.append("self-test passed" if status == 0 else "self-test FAILED")
        print("\n".join(lines), file=stdout)
    stdout.flush()
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PackageProblem as problem:
        print("run.py: %s" % problem, file=sys.stderr)
        sys.exit(2)
