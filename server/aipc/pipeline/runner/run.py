#!/usr/bin/env python3
"""Run this package on the device. Needs onnxruntime, onnxruntime-qnn and numpy; Pillow for pictures; nothing else.

    python run.py --self-test                        compare with the golden outputs
    python run.py --input x.npz --output y.npz       run on your own inputs: arrays by input name
    python run.py --input image=bus.jpg              a picture, brought to the input's size, 0..1
    python run.py --input image=frame.raw            bytes in the input's dtype and shape
    python run.py --input a.npz --output b.npz --more c.npz d.npz    several samples, loaded once
    python run.py --warm-up 5 --repeat 100           latency on this device
    python run.py --profile nodes.csv                time of each node
    python run.py --cpu-model model.onnx             the same model's latency on this device's CPU
    python run.py --canary --input x.npz             run the golden inputs first, and stop where they are wrong
    python run.py --input x.npz --record DIR         keep a sample of live inputs for `aipc verify --recorded DIR`

Exit status: 0 done, 1 the self-test or the canary failed, 2 could not run.
"""

import os
import sys

# Python looks for modules next to the script first: a numpy.py or json.py there would run in place of the library.
_OWN = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
sys.path[:] = [path for path in sys.path if path and os.path.abspath(path) != _OWN]  # noqa: PTH100

import argparse  # noqa: E402
import hashlib  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402
import platform  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import zipfile  # noqa: E402
from pathlib import Path  # noqa: E402

HERE = Path(_OWN)
FORMAT = 1
MANIFEST_TYPES = {
    "model": str,
    "soc": str,
    "entry": str,
    "inputs": list,
    "outputs": list,
    "files": dict,
    "self_test_sqnr_db": (int, float),
}
CPU_SECONDS = 20.0
"""Repetitions on the CPU, which may be a hundred times slower, end after this time."""
PERFORMANCE = ("default", "burst", "balanced", "high_performance", "sustained_high_performance", "power_saver")


class PackageProblem(Exception):
    """One sentence for the person in front of the device."""


class CanaryFailed(Exception):
    """The package no longer answers as it did when it was verified: exit status 1."""


def read_manifest(package):
    try:
        manifest = json.loads((package / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackageProblem("manifest.json is missing or damaged (%s): copy the package again" % error)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise PackageProblem("manifest.json is not of the format %d that this runner reads" % FORMAT)
    for key, kind in MANIFEST_TYPES.items():
        if not isinstance(manifest.get(key), kind) or not manifest[key]:
            raise PackageProblem("manifest.json is damaged (%s): copy the package again" % key)
    for spec in manifest["inputs"] + manifest["outputs"]:
        if not isinstance(spec, dict) or not {"name", "dtype", "shape"} <= set(spec):
            raise PackageProblem("manifest.json is damaged (inputs and outputs): copy the package again")
    return manifest


def check_files(package, manifest):
    """Every listed file is there and whole, and there is no other: nothing runs or is read that nobody hashed."""
    listed = set(manifest["files"]) | {"manifest.json", "report.json", "report.html"}
    for path in package.rglob("*"):
        name = path.relative_to(package).as_posix()
        if not path.is_dir() and name not in listed:
            raise PackageProblem("%s is not part of the package: remove it" % name)
    for name, digest in manifest["files"].items():
        if name.startswith(("/", "\\")) or ".." in Path(name).parts or ":" in name:
            raise PackageProblem("%s is not the name of a file inside the package" % name)
        path = package / name
        if not path.is_file():
            raise PackageProblem("%s is missing: copy the package again" % name)
        hasher = hashlib.sha256()
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                hasher.update(block)
        if hasher.hexdigest() != digest:
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


def is_simulated():
    """On x86 onnxruntime-qnn has a simulator of the NPU and no NPU."""
    return platform.machine().lower() in {"x86_64", "amd64"}


def chip_here():
    """The name that Linux has for this chip, in small letters, or ""."""
    try:
        return Path("/sys/devices/soc0/machine").read_text("utf-8").strip().lower()
    except (OSError, ValueError):
        return ""


def choose_context(manifest, expected):
    """Of a package for several chips, the manifest as it is for the chip here; other packages as they are."""
    contexts = manifest.get("contexts")
    if not contexts:
        return manifest
    here = (expected or chip_here()).lower()
    for context in contexts:
        names = {name.lower() for name in context.get("soc_names", ())} | {context["soc"], str(context["soc_model"])}
        if here in names:
            return dict(manifest, **context)
    if not here and is_simulated():
        return dict(manifest, **contexts[0])
    raise PackageProblem(
        "the package was compiled for %s and this device %s"
        % (
            " or ".join(context["soc"] for context in contexts),
            "is %s: deploy the model for it" % here if here else "does not say which chip it is: name it with --soc",
        )
    )


def check_chip(manifest, expected):
    """Refuse another chip: the one that the caller names, or, where the system names one that is known, that one."""
    names = {name.lower() for name in manifest.get("soc_names", ())} | {manifest["soc"], str(manifest["soc_model"])}
    here = chip_here()
    if not expected and here in {name.lower() for name in manifest.get("other_socs", ())}:
        expected = here
    if expected and expected.lower() not in names:
        raise PackageProblem(
            "the package was compiled for %s and this device is %s: deploy the model for it"
            % (manifest["soc"], expected)
        )


def open_session(package, manifest, onnxruntime, onnxruntime_qnn, more):
    if not any(device.ep_name == "QNN" for device in onnxruntime.get_ep_devices()):
        onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
    if not devices:
        raise PackageProblem("onnxruntime finds no NPU here: check the drivers and onnxruntime-qnn")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    provider = {
        "backend_path": onnxruntime_qnn.get_qnn_htp_path(),
        "soc_model": str(manifest["soc_model"]),
        "htp_arch": str(manifest["htp_arch"]),
    }
    provider.update(more)
    options.add_provider_for_devices(devices, provider)
    try:
        return onnxruntime.InferenceSession(str(package / manifest["entry"]), options)
    except Exception as error:
        raise PackageProblem("QAIRT cannot load the package: %s" % first_line(error))


def first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def read_inputs(numpy, manifest, inputs_path, originals=None):
    """Arrays by input name from .npz files, raw bytes (``name=file``) and pictures (``name=file``).

    Args:
        originals: takes each array as it was given, before it became the integers that the package takes.
    """
    arrays = {}
    sources = {}
    specs = {spec["name"]: spec for spec in manifest["inputs"]}
    for text in inputs_path:
        name, equals, path = text.partition("=")
        if not (equals and name in specs) or Path(text).exists():
            name, path = "", text
        if Path(path).suffix == ".npz":
            loaded = read_npz(numpy, path)
            arrays.update(loaded)
            sources.update(dict.fromkeys(loaded, path))
            continue
        if not name:
            if len(specs) != 1:
                raise PackageProblem("%s: say for which input it is: --input NAME=%s" % (path, path))
            name = next(iter(specs))
        read = read_raw if Path(path).suffix in {".raw", ".bin", ".dat"} else read_picture
        arrays[name] = read(numpy, path, specs[name])
        sources[name] = path
    inputs = {}
    for name, spec in specs.items():
        if name not in arrays:
            where = " and ".join(sorted(set(sources.values()))) or "the inputs"
            raise PackageProblem("%s has no array %r: it has %s" % (where, name, ", ".join(arrays) or "none"))
        array = arrays[name]
        if originals is not None:
            originals[name] = array
        encoding = spec.get("encoding")
        if encoding and array.dtype.name == spec["dtype"] and list(array.shape) == list(spec["shape"]):
            array = to_integers(numpy, array, encoding)
        wanted = encoding["dtype"] if encoding else spec["dtype"]
        if list(array.shape) != list(spec["shape"]) or array.dtype.name != wanted:
            raise PackageProblem(
                "array %r is %s%s and the package takes %s%s"
                % (name, array.dtype.name, list(array.shape), spec["dtype"], list(spec["shape"]))
            )
        inputs[name] = array
    return inputs


def to_integers(numpy, array, encoding):
    """Real numbers as the integers that the package takes: real = (integer - zero_point) * scale."""
    limits = numpy.iinfo(encoding["dtype"])
    steps = numpy.round(array / encoding["scale"]) + encoding["zero_point"]
    return numpy.clip(steps, limits.min, limits.max).astype(encoding["dtype"])


def to_reals(numpy, manifest, outputs):
    """Outputs that the package gives as integers, as real numbers."""
    for spec in manifest["outputs"]:
        encoding = spec.get("encoding")
        if encoding and spec["name"] in outputs:
            steps = outputs[spec["name"]].astype(numpy.float32) - encoding["zero_point"]
            outputs[spec["name"]] = (steps * encoding["scale"]).astype(spec["dtype"])
    return outputs


def not_finite(numpy, inputs):
    """A sentence for each input that has NaN or infinite values: it is run as it is."""
    notes = []
    for name, array in inputs.items():
        if array.dtype.kind == "f" and not numpy.isfinite(array).all():
            nan, infinite = int(numpy.isnan(array).sum()), int(numpy.isinf(array).sum())
            notes.append("input %s has %d NaN and %d infinite values" % (name, nan, infinite))
    return notes


def read_npz(numpy, path):
    try:
        with numpy.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except Exception as error:
        raise PackageProblem("%s is not a .npz file that can be read: %s" % (path, error))


def read_raw(numpy, path, spec):
    dtype = numpy.dtype(spec["dtype"]).newbyteorder("<")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise PackageProblem("%s cannot be read: %s" % (path, error.strerror))
    wanted = dtype.itemsize * math.prod(spec["shape"])
    if len(content) != wanted:
        raise PackageProblem(
            "%s has %d bytes and input %r (%s%s) takes %d"
            % (path, len(content), spec["name"], spec["dtype"], list(spec["shape"]), wanted)
        )
    return numpy.frombuffer(content, dtype).reshape(spec["shape"]).astype(spec["dtype"])


def read_picture(numpy, path, spec):
    """A picture in the size and layout of an input [N, 3 or 1, H, W] or [N, H, W, 3 or 1]; floats are 0..1."""
    try:
        from PIL import Image
    except ImportError:
        raise PackageProblem("%s: reading pictures needs Pillow: run pip install pillow" % path)
    shape = list(spec["shape"])
    if len(shape) != 4 or (shape[1] not in (1, 3) and shape[3] not in (1, 3)):
        raise PackageProblem("input %r of shape %s is no picture: give a .npz or .raw file" % (spec["name"], shape))
    first = shape[1] in (1, 3)
    channels, height, width = (shape[1], shape[2], shape[3]) if first else (shape[3], shape[1], shape[2])
    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I"):
                # Of 16 bits: what is above 255 would become white.
                values = (numpy.asarray(picture).astype("int64") + 128) // 257
                picture = Image.fromarray(numpy.clip(values, 0, 255).astype("uint8"))
            picture = picture.convert("RGB" if channels == 3 else "L").resize((width, height))
            array = numpy.asarray(picture).reshape(height, width, channels)
    except OSError as error:
        raise PackageProblem("%s is not a picture that can be read: %s" % (path, first_line(error)))
    array = array.transpose(2, 0, 1) if first else array
    if spec["dtype"].startswith("float"):
        array = (array / 255.0).astype(spec["dtype"])
    return numpy.ascontiguousarray(numpy.broadcast_to(array.astype(spec["dtype"]), shape))


def sqnr_db(numpy, reference, actual):
    reference = numpy.asarray(reference, dtype=numpy.float64)
    noise = numpy.sum((reference - numpy.asarray(actual, dtype=numpy.float64)) ** 2)
    signal = numpy.sum(reference**2)
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 and math.isfinite(noise) else -math.inf


def compare(numpy, manifest, golden, outputs):
    """SQNR in dB of every output against those of PyTorch in fp32, where these are finite."""
    results = {}
    for name in (spec["name"] for spec in manifest["outputs"]):
        if name not in golden or name not in outputs:
            missing = "the golden outputs have" if name not in golden else "the model gives"
            raise PackageProblem("output %r cannot be compared: %s none of this name" % (name, missing))
        if golden[name].size == 0 or golden[name].shape != outputs[name].shape:
            raise PackageProblem(
                "output %r cannot be compared: it is %s and the golden one %s"
                % (name, list(outputs[name].shape), list(golden[name].shape))
            )
        finite = numpy.isfinite(golden[name])
        if not finite.any():
            raise PackageProblem("output %r cannot be compared: the golden one has no finite value" % name)
        results[name] = sqnr_db(numpy, golden[name][finite], outputs[name][finite])
    return results


def shown(results):
    """Figures that JSON can hold."""
    return {name: value if math.isfinite(value) else str(value) for name, value in results.items()}


def test_probes(numpy, package, manifest, session, names):
    """The further golden vectors: of each its title, the SQNR of every output, and whether all are in tolerance."""
    reports = []
    for probe in manifest.get("golden_probes", ()):
        outputs = run_once(numpy, manifest, session, names, str(package / probe["inputs"]))
        results = compare(numpy, manifest, read_npz(numpy, package / probe["outputs"]), outputs)
        passed = all(value >= probe["sqnr_db"] for value in results.values())
        reports.append(
            {
                "title": probe["title"],
                "passed": passed,
                "threshold_sqnr_db": probe["sqnr_db"],
                "sqnr_db": shown(results),
            }
        )
    return reports


def self_test(numpy, package, manifest, outputs, threshold):
    """SQNR in dB of every output against the golden ones (PyTorch, fp32), and whether all are in tolerance."""
    results = compare(numpy, manifest, read_npz(numpy, package / "golden" / "outputs.npz"), outputs)
    # The threshold is what the package passed when it was verified, with a margin for another device.
    threshold = manifest["self_test_sqnr_db"] if threshold is None else threshold
    if not threshold >= 0:
        raise PackageProblem("the threshold of %s dB is below 0, which everything passes" % threshold)
    return results, all(value >= threshold for value in results.values()), threshold


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def latency_of(seconds):
    """Milliseconds. ``spread`` is the standard deviation over the mean."""
    mean = sum(seconds) / len(seconds)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in seconds) / len(seconds))
    return {
        "repetitions": len(seconds),
        "p50_ms": percentile(seconds, 0.5) * 1e3,
        "p90_ms": percentile(seconds, 0.9) * 1e3,
        "p99_ms": percentile(seconds, 0.99) * 1e3,
        "min_ms": min(seconds) * 1e3,
        "max_ms": max(seconds) * 1e3,
        "spread": deviation / mean if mean else 0.0,
    }


def temperature():
    """Degrees Celsius of the hottest zone that can be read, or None."""
    values = []
    for path in Path("/sys/class/thermal").glob("thermal_zone*/temp"):
        try:
            value = int(path.read_text()) / 1000.0
        except (OSError, ValueError):
            continue
        if -40 < value < 150:
            values.append(value)
    return max(values) if values else None


def teller(wanted):
    """What says which run is under way, for the program that started this one: not more often than it can be read."""
    last = [-1.0]

    def print_progress(number, total):
        now = time.monotonic()
        if wanted and (number == total or last[0] < 0 or now - last[0] >= 0.25):
            last[0] = now
            sys.stderr.write("progress: %d of %d\n" % (number, total))
            sys.stderr.flush()

    return print_progress


def time_runs(session, names, inputs, arguments, most_seconds=math.inf):
    """The outputs, and the seconds of every run after those that warm up."""
    tell = teller(arguments.progress)
    seconds = []
    values = []
    began = time.perf_counter()
    total = max(0, arguments.warm_up) + max(1, arguments.repeat)
    for number in range(total):
        if seconds and time.perf_counter() - began > most_seconds:
            break
        tell(number + 1, total)
        started = time.perf_counter()
        values = session.run(names, inputs)
        if number >= arguments.warm_up:
            seconds.append(time.perf_counter() - started)
    return values, seconds


def run_on_cpu(manifest, onnxruntime, inputs, arguments):
    """The report on the uncompiled model, run by onnxruntime's CPU provider: what the NPU's latency is held against."""
    simulated = is_simulated()
    report = {"model": manifest["model"], "machine": platform.machine(), "simulated": simulated, "cpu": None}
    if simulated:
        # A computer that simulates the NPU is no device: its CPU's time says nothing of one.
        return report
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(arguments.cpu_model, options, providers=["CPUExecutionProvider"])
        feeds = {item.name: inputs[item.name] for item in session.get_inputs()}
        _, seconds = time_runs(session, None, feeds, arguments, CPU_SECONDS)
    except KeyError as error:
        raise PackageProblem("the model for the CPU has an input %s that the package has not" % error)
    except Exception as error:
        raise PackageProblem("the CPU does not run the model: %s" % first_line(error))
    report["cpu"] = dict(latency_of(seconds), cores=os.cpu_count())
    return report


def environment_of(onnxruntime, numpy, qairt):
    """What a later run on this device can be compared with."""
    try:
        from importlib.metadata import version

        plugin = version("onnxruntime-qnn")
    except Exception:
        plugin = ""
    return {
        "qairt": qairt,
        "onnxruntime": onnxruntime.__version__,
        "onnxruntime-qnn": plugin,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "chip": chip_here(),
    }


def keep_stdout():
    """The real stdout; from here on, what native libraries print there goes to stderr."""
    sys.stdout.flush()
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stdout


def end_with_stdin():
    """End this process when stdin does: whoever started it is gone."""

    def wait():
        try:
            while os.read(0, 1024):
                pass
        finally:
            os._exit(3)

    threading.Thread(target=wait, daemon=True).start()


def write_arrays(numpy, stream, arrays):
    """An .npz; ``numpy.savez`` takes no array that is called "file"."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as entry:
                numpy.lib.format.write_array(entry, array, allow_pickle=False)


def write_outputs(numpy, path, outputs):
    """Complete or not at all."""
    target = Path(path)
    partial = target.with_name(target.name + ".part")
    try:
        write_arrays(numpy, partial, outputs)
        partial.replace(target)
    except OSError as error:
        raise PackageProblem("%s cannot be written: %s" % (path, error.strerror))


def open_recording(numpy, manifest, arguments):
    """What keeps live inputs; None where nobody asked for it, or AIPC_NO_RECORDING switches it off."""
    if arguments.record is None or not arguments.input or os.environ.get("AIPC_NO_RECORDING", "0") not in ("", "0"):
        return None
    if not 0 <= arguments.record_share <= 1 or not arguments.record_quota > 0:
        raise PackageProblem("--record-share is between 0 and 1, and --record-quota above 0")
    path = HERE / "recording.py"
    if not path.is_file():
        raise PackageProblem("this package was made by a version that records nothing: deploy the model again")
    spec = importlib.util.spec_from_file_location("aipc_recording", str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Recording(numpy, manifest, arguments, write_arrays)


def record(recording, inputs, outputs):
    """A full disk or a directory that cannot be written ends no run: a note says so."""
    if recording is None:
        return
    try:
        recording.add(inputs, outputs)
    except OSError as error:
        sys.stderr.write("run.py: note: the inputs were not recorded: %s\n" % error.strerror)


def check_canary(numpy, package, manifest, session, names, arguments):
    """Raises PackageProblem where the golden inputs are not answered as they were when the package was verified."""
    outputs = run_once(numpy, manifest, session, names, str(package / "golden" / "inputs.npz"))
    results, passed, threshold = self_test(numpy, package, manifest, outputs, arguments.tolerance)
    if not passed:
        worst = min(results, key=results.get)
        raise CanaryFailed(
            "the golden inputs are answered wrongly: output %s has %.1f dB SQNR against PyTorch, at least %.1f dB are "
            "needed. The inputs were not run: deploy the model again for this device"
            % (worst, results[worst], threshold)
        )


def parse():
    parser = argparse.ArgumentParser(description="Run this package.")
    parser.add_argument("--canary", action="store_true", help="run the golden inputs first; stop where they are wrong")
    parser.add_argument("--self-test", action="store_true", help="run the golden inputs and compare")
    parser.add_argument("--tolerance", type=float, metavar="DB", help="least SQNR that passes the self-test")
    parser.add_argument("--input", action="append", metavar="[NAME=]FILE", help=".npz, .raw or picture; may repeat")
    parser.add_argument("--output", help="where to write the outputs (.npz)")
    parser.add_argument(
        "--more", action="append", nargs=2, metavar=("INPUT", "OUTPUT"), help="another .npz to run, once; may repeat"
    )
    parser.add_argument(
        "--further", action="append", nargs=2, metavar=("INPUT", "OUTPUT"), help="like --more, while there is time"
    )
    parser.add_argument("--further-seconds", type=float, metavar="S", default=math.inf, help="time for --further")
    parser.add_argument("--warm-up", type=int, default=0, help="runs before those that are timed")
    parser.add_argument("--repeat", type=int, default=1, help="how often to run")
    parser.add_argument("--performance", choices=PERFORMANCE, default="burst", help="the NPU's performance mode")
    parser.add_argument("--profile", metavar="CSV", help="run once more and write the time of each node")
    parser.add_argument("--soc", help="refuse to run when the package is for another chip")
    parser.add_argument("--cpu-model", metavar="ONNX", help="time this uncompiled model on the CPU instead")
    parser.add_argument("--progress", action="store_true", help="say on stderr which run is under way")
    parser.add_argument("--record", type=Path, metavar="DIR", help="keep a sample of the inputs there; off by default")
    parser.add_argument("--record-ranges", action="store_true", help="keep no input: only ranges of values and counts")
    parser.add_argument("--record-share", type=float, default=1.0, metavar="P", help="share of the runs, 0 to 1")
    parser.add_argument("--record-quota", type=float, default=64.0, metavar="MB", help="most that DIR may hold")
    parser.add_argument("--package", type=Path, default=HERE, metavar="DIR", help="default: where this file is")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when stdin is closed")
    return parser.parse_args()


def run_once(numpy, manifest, session, names, arrays, recording=None):
    """The outputs of one more sample."""
    originals = {}
    inputs = read_inputs(numpy, manifest, [arrays], originals)
    try:
        values = session.run(names, inputs)
    except Exception as error:
        raise PackageProblem("QAIRT stopped while it ran the package on %s: %s" % (arrays, first_line(error)))
    outputs = to_reals(numpy, manifest, dict(zip(names, values)))
    record(recording, originals, outputs)
    return outputs


def run(arguments):
    """The report, and the exit status."""
    package = arguments.package.resolve()
    manifest = read_manifest(package)
    check_files(package, manifest)
    manifest = choose_context(manifest, arguments.soc)
    check_chip(manifest, arguments.soc)
    numpy, onnxruntime, onnxruntime_qnn = load_libraries()
    qairt = check_qairt(manifest, onnxruntime_qnn)
    originals = {}
    inputs = read_inputs(numpy, manifest, arguments.input or [str(package / "golden" / "inputs.npz")], originals)
    notes = not_finite(numpy, inputs)
    for note in notes:
        sys.stderr.write("run.py: note: %s\n" % note)
    if arguments.cpu_model:
        return run_on_cpu(manifest, onnxruntime, inputs, arguments), 0
    simulated = is_simulated()
    provider = {} if simulated else {"htp_performance_mode": arguments.performance}
    if arguments.profile:
        profile = Path(arguments.profile).resolve()
        provider.update({"profiling_level": "detailed", "profiling_file_path": str(profile)})
    before = temperature()
    session = open_session(package, manifest, onnxruntime, onnxruntime_qnn, provider)
    names = [output.name for output in session.get_outputs()]
    if arguments.canary:
        check_canary(numpy, package, manifest, session, names, arguments)
    recording = open_recording(numpy, manifest, arguments)
    try:
        values, seconds = time_runs(session, names, inputs, arguments)
    except Exception as error:
        raise PackageProblem("QAIRT stopped while it ran the package: %s" % first_line(error))
    outputs = to_reals(numpy, manifest, dict(zip(names, values)))
    record(recording, originals, outputs)
    if arguments.output:
        write_outputs(numpy, arguments.output, outputs)
    for inputs_path, target in arguments.more or ():
        write_outputs(numpy, target, run_once(numpy, manifest, session, names, inputs_path, recording))
    spent = 0.0
    for inputs_path, target in arguments.further or ():
        # The next one takes as long as the first did.
        if spent + min(seconds) > arguments.further_seconds:
            break
        started = time.perf_counter()
        write_outputs(numpy, target, run_once(numpy, manifest, session, names, inputs_path, recording))
        spent += time.perf_counter() - started
    if recording is not None:
        notes = [*notes, recording.close()]
        sys.stderr.write("run.py: note: %s\n" % notes[-1])
    report = {
        "model": manifest["model"],
        "soc": manifest["soc"],
        "qairt": qairt,
        "onnxruntime": onnxruntime.__version__,
        "machine": platform.machine(),
        "simulated": simulated,
        "host_seconds": min(seconds),
        "outputs": {name: {"shape": list(array.shape), "dtype": array.dtype.name} for name, array in outputs.items()},
        # The simulator's time is the host computer's and says nothing of a device; a profiled run is slower.
        "latency": None if simulated or arguments.profile else latency_of(seconds),
        "temperature": [before, temperature()],
        "environment": environment_of(onnxruntime, numpy, qairt),
        "notes": notes,
    }
    if arguments.profile:
        report["profile"] = {"file": str(profile), "measured_on": "host" if simulated else "device"}
    if not arguments.self_test:
        return report, 0
    results, passed, threshold = self_test(numpy, package, manifest, outputs, arguments.tolerance)
    probes = test_probes(numpy, package, manifest, session, names)
    passed = passed and all(item["passed"] for item in probes)
    report["self_test"] = {
        "passed": passed,
        "threshold_sqnr_db": threshold,
        "sqnr_db": shown(results),
        "probes": probes,
    }
    return report, 0 if passed else 1


def figure(value):
    return value if isinstance(value, str) else "%.1f" % value


def latency_summary(latency):
    return "p50 %.3f ms, p90 %.3f ms, p99 %.3f ms (%d runs)" % (
        latency["p50_ms"],
        latency["p90_ms"],
        latency["p99_ms"],
        latency["repetitions"],
    )


def page(report):
    """The report for a person."""
    if "cpu" in report:
        latency_text = latency_summary(report["cpu"]) if report["cpu"] else "not measured: this computer is no device"
        return "%s on the CPU of %s: %s" % (report["model"], report["machine"], latency_text)
    lines = ["%s for %s ran on %s" % (report["model"], report["soc"], report["machine"])]
    test = report.get("self_test")
    for name, value in (test or {}).get("sqnr_db", {}).items():
        lines.append("  output %s: SQNR %s dB against PyTorch" % (name, figure(value)))
    for probe in (test or {}).get("probes", ()):
        for name, value in probe["sqnr_db"].items():
            lines.append("  output %s on %s: SQNR %s dB" % (name, probe["title"], figure(value)))
    latency = report["latency"]
    if latency:
        lines.append("latency: " + latency_summary(latency))
    if test:
        lines.append("self-test passed" if test["passed"] else "self-test FAILED")
    return "\n".join(lines)


def main():
    arguments = parse()
    stdout = keep_stdout()
    if arguments.end_with_stdin:
        end_with_stdin()
    report, status = run(arguments)
    print(json.dumps(report, indent=2) if arguments.json else page(report), file=stdout)
    stdout.flush()
    return status


if __name__ == "__main__":
    try:
        status = main()
    except PackageProblem as problem:
        print("run.py: %s" % problem, file=sys.stderr)
        status = 2
    except CanaryFailed as problem:
        print("run.py: %s" % problem, file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    except SystemExit as end:
        # argparse: 0 after its help, 2 after a wrong argument.
        status = end.code if isinstance(end.code, int) else 2
    except BaseException as error:
        # Not Python's own status, which is 1: that is the failed self-test, and nothing else.
        print("run.py: the package cannot be run (%s: %s)" % (type(error).__name__, first_line(error)), file=sys.stderr)
        status = 2
    sys.stderr.flush()
    # Not sys.exit: a native library's own end must not change the status.
    os._exit(status)
