"""What ``run.py --record DIR`` keeps of live inputs. Copied into every package beside ``run.py``, which loads it.

Nothing is recorded unless ``--record`` names a directory. ``--record-ranges`` keeps no input, only ranges of values and
counts. The environment variable AIPC_NO_RECORDING=1 switches recording off, whatever a command line says. The directory
never grows above the quota. ``aipc verify PACKAGE --recorded DIR`` reads it at home.
"""

import hashlib
import json
import random
import uuid

FORMAT = 1
RESERVE = 4096
"""Bytes of the quota that stay free for the counts, which say most."""


class Recording:
    """The runs of one process. Files are written whole and renamed; several processes may share a directory."""

    def __init__(self, numpy, manifest, arguments, write_arrays):
        self.numpy = numpy
        self.write_arrays = write_arrays
        self.manifest = manifest
        self.directory = arguments.record
        self.values = not arguments.record_ranges
        self.share = arguments.record_share
        self.quota = int(arguments.record_quota * 1e6)
        self.runs = 0
        self.count = 0
        self.ranges = {}
        # The files, not the manifest: that changes where the same package is verified on another target.
        self.identity = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
        self.name = uuid.uuid4().hex

    def add(self, inputs, outputs):
        """One run: ``inputs`` as they were given, ``outputs`` in real numbers."""
        self.runs += 1
        for spec in self.manifest["inputs"]:
            self._count(spec, inputs[spec["name"]])
        if self.values and random.random() < self.share:
            self._keep(inputs, outputs)

    def _count(self, spec, array):
        """The range of real numbers, and how many of them the input's integers cannot hold.

        Integers that the caller made himself were clipped by him: of those only the range is known.
        """
        numpy = self.numpy
        encoding = encoding_of(self.manifest, spec)
        counts = self.ranges.setdefault(
            spec["name"], {"values": 0, "saturated": 0, "not_finite": 0, "low": None, "high": None}
        )
        real = array.astype(numpy.float64)
        scale, zero_point = (encoding["scale"], encoding["zero_point"]) if encoding else (1.0, 0)
        if encoding and array.dtype.name != spec["dtype"]:
            real = (real - zero_point) * scale
        finite = real[numpy.isfinite(real)]
        counts["values"] += int(array.size)
        counts["not_finite"] += int(array.size - finite.size)
        if finite.size:
            low, high = float(finite.min()), float(finite.max())
            counts["low"] = low if counts["low"] is None else min(low, counts["low"])
            counts["high"] = high if counts["high"] is None else max(high, counts["high"])
        if encoding:
            limits = numpy.iinfo(encoding["dtype"])
            # Half a step beyond an end is rounded to the end itself.
            least, most = ((end - zero_point) * scale for end in (limits.min - 0.5, limits.max + 0.5))
            counts["saturated"] += int(((finite < least) | (finite > most)).sum())

    def _keep(self, inputs, outputs):
        stem = "%s-%06d" % (self.name, self.count)
        size = sum(array.nbytes + 512 for arrays in (inputs, outputs) for array in arrays.values())
        if self._used() + size + RESERVE > self.quota:
            return
        for folder, arrays in (("outputs", outputs), ("inputs", inputs)):
            name = "%s/%s.npz" % (folder, stem)
            self._write(name, lambda stream, arrays=arrays: self.write_arrays(self.numpy, stream, arrays))
        self.count += 1

    def close(self):
        """Write the counts, a few hundred bytes that count against the quota too; a sentence for the report."""
        document = {
            "format": FORMAT,
            "package": self.identity,
            "model": self.manifest["model"],
            "runs": self.runs,
            "kept": self.count,
            "ranges": self.ranges,
        }
        text = json.dumps(document, indent=2).encode()
        try:
            if self._used() + len(text) > self.quota:
                return "nothing was recorded: the quota of %s is used up" % self.directory
            self._write(self.name + ".ranges.json", lambda stream: stream.write(text))
        except OSError as error:
            return "nothing was recorded: %s" % error.strerror
        return "%d of %d runs were recorded in %s" % (self.count, self.runs, self.directory)

    def _used(self):
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def _write(self, name, write):
        partial = self.directory / (name + ".part")
        partial.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            write(stream)
        partial.replace(self.directory / name)


def encoding_of(manifest, spec):
    """Integers of an input on the NPU: of its own where the caller gives them, else those of the quantized graph."""
    encodings = (manifest.get("quantization") or {}).get("encodings") or {}
    return spec.get("encoding") or encodings.get(spec["name"])
