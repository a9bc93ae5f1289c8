"""``aipc.load``: a package as a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aipc import engine
from aipc.core.errors import InputError
from aipc.core.plain_data import from_plain
from aipc.core.scratch import scratch_directory
from aipc.core.types import TensorSpec
from aipc.core.workers import WorkerPool
from aipc.pipeline.package import check_package


class Package:
    """A deployed package that is called as the model is.

    ``package(x)`` takes arrays or tensors in the order of the package's inputs, or by name, and gives the output; of
    several outputs a dict by name. Tensors are answered with tensors, arrays with NumPy arrays.

    Each call starts the runtime anew, which takes seconds; :meth:`run` starts it once for many samples.
    """

    def __init__(self, path: Path, target: str, manifest: Mapping[str, Any]) -> None:
        self.path = path
        self.target = target
        self.model: str = manifest["model"]
        self.soc: str = manifest["soc"]
        self.precision: str = manifest["precision"]
        self.inputs = from_plain([_spec(item) for item in manifest["inputs"]], tuple[TensorSpec, ...])
        self.outputs = from_plain([_spec(item) for item in manifest["outputs"]], tuple[TensorSpec, ...])
        self._pool = WorkerPool(preload=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run one sample.

        Raises:
            InputError: an input is missing, unknown, or has another shape or dtype.
            AipcError: the package does not run on its target.
        """
        from aipc.numerics.tensors import is_tensor, named_arrays

        arrays = named_arrays(self.inputs, args, kwargs)
        tensors = any(is_tensor(value) for value in (*args, *kwargs.values()))
        (answer,) = self._run([arrays])
        return self._answer(answer, tensors)

    def run(self, samples: Iterable[Any]) -> list[Any]:
        """Run many samples, each an input, a tuple of inputs or a dict by name; the outputs in their order."""
        from aipc.numerics.tensors import is_tensor, named_arrays

        rows, tensors = [], []
        for sample in samples:
            args, kwargs = _arguments(sample)
            rows.append(named_arrays(self.inputs, args, kwargs))
            tensors.append(any(is_tensor(value) for value in (*args, *kwargs.values())))
        answers = self._run(rows) if rows else []
        return [self._answer(answer, tensor) for answer, tensor in zip(answers, tensors, strict=True)]

    def verify(self) -> engine.VerifyReport:
        """Run the golden inputs again and compare with PyTorch's outputs."""
        return engine.verify(self.path, self.target, self._pool)

    def _run(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        from aipc.numerics.npz import read_npz, write_npz

        with scratch_directory() as folder:
            pairs = [(folder / f"{number:06d}.npz", folder / f"{number:06d}.out.npz") for number in range(len(rows))]
            for (inputs, _), arrays in zip(pairs, rows, strict=True):
                write_npz(inputs, arrays)
            engine.run_samples(self.path, pairs, self.target, self._pool)
            return [read_npz(answer) for _, answer in pairs]

    def _answer(self, arrays: Mapping[str, Any], tensors: bool) -> Any:
        from aipc.numerics.tensors import to_tensor

        named = {spec.name: to_tensor(arrays[spec.name]) if tensors else arrays[spec.name] for spec in self.outputs}
        return next(iter(named.values())) if len(named) == 1 else named

    def __repr__(self) -> str:
        return f"<Package {self.model} for {self.soc}, {self.precision}, on {self.target}: {self.path}>"


def load(package: str | Path, target: str = "simulator") -> Package:
    """Open a package that ``deploy`` wrote, after its files were found whole.

    Args:
        package: its directory.
        target: where to run it: simulator, local, ssh:HOST, adb:SERIAL.

    Raises:
        PackageError: there is no package, or a file of it is damaged.
    """
    path = Path(package).expanduser().resolve()
    return Package(path, target, check_package(path))


def _spec(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("name", "dtype", "shape")}


def _arguments(sample: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(sample, Mapping):
        return (), dict(sample)
    if isinstance(sample, (tuple, list)):
        return tuple(sample), {}
    if sample is None:
        raise InputError("a sample is None", remedy="give a tensor, a tuple or a dict by name")
    return (sample,), {}
