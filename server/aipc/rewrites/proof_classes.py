"""Classes of rewrites: what is proved in the simulator once stands for all sites that differ in sizes and weights only.

A class is the operators with their attributes and connections, the ranks and dtypes of all tensors and which of their
axes have one element, before and after the rewrite and with the nodes that read its results. Every site is still
compared with the original in fp32, and the whole graph runs in the simulator before it is packaged. Where that does
not pass, each site is proved alone (see the remedy ``prove-every-site``).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import onnx

from aipc.core.cache import Cache
from aipc.core.errors import StorageError
from aipc.core.hashing import hash_files, hash_value
from aipc.core.plain_data import from_plain, to_plain
from aipc.qairt.runtime import require_qairt

from .proofs import Proof


def class_of(*models: onnx.ModelProto) -> str:
    """Equal for sites of one class, see the module."""
    digest = hashlib.blake2b(digest_size=20)
    for model in models:
        names: dict[str, str] = {}
        kinds = _kinds(model.graph)

        def of(name: str, names: dict[str, str] = names, kinds: dict[str, str] = kinds) -> str:
            known = names.setdefault(name, f"t{len(names)}")
            return f"{known}:{kinds.get(name, '')}" if name else ""

        for node in model.graph.node:
            attributes = sorted(item.SerializeToString(deterministic=True).hex() for item in node.attribute)
            parts = [node.domain, node.op_type, *attributes, *map(of, node.input), "->", *map(of, node.output)]
            digest.update("\0".join(parts).encode())
        digest.update("\0".join(("out", *(of(value.name) for value in model.graph.output))).encode())
    return digest.hexdigest()


def _kinds(graph: onnx.GraphProto) -> dict[str, str]:
    """Tensor -> its dtype, and one letter for each axis: ``u`` for one element, ``n`` for more."""
    kinds = {}
    for value in (*graph.value_info, *graph.input, *graph.output):
        tensor = value.type.tensor_type
        axes = "".join("u" if dim.dim_value == 1 else "n" for dim in tensor.shape.dim)
        kinds[value.name] = f"{tensor.elem_type}{axes}"
    for item in graph.initializer:
        kinds[item.name] = f"c{item.data_type}{''.join('u' if size == 1 else 'n' for size in item.dims)}"
    return kinds


def elements(model: onnx.ModelProto) -> int:
    """How many numbers the inputs of a site hold."""
    total = 0
    for value in model.graph.input:
        count = 1
        for dim in value.type.tensor_type.shape.dim:
            count *= max(1, dim.dim_value)
        total += count
    return total


class ProvedClasses:
    """The classes that are proved for one chip, and in the cache those of earlier runs.

    Args:
        root: of the cache; None keeps them as long as this object.
    """

    def __init__(self, root: Path | None, soc: str) -> None:
        self._cache = None if root is None else Cache(root)
        self._soc = soc
        self._proofs: dict[str, Proof] = {}

    def get(self, key: str) -> Proof | None:
        """The proof of a site of the class."""
        if key not in self._proofs and self._cache is not None:
            entry = self._cache.get(self._key(key))
            if entry is not None:
                self._proofs[key] = from_plain(entry.meta["proof"], Proof)
        return self._proofs.get(key)

    def add(self, key: str, proof: Proof) -> None:
        """Keep the proof of a class; one that failed may succeed elsewhere, and is not kept."""
        if not proof.ok:
            return
        self._proofs[key] = proof
        if self._cache is None:
            return
        try:
            self._cache.put(self._key(key), lambda _: {"proof": to_plain(proof)})
        except StorageError:
            return  # without room for it, the class is proved again

    def _key(self, key: str) -> str:
        return hash_value(["proof", key, self._soc, require_qairt(), _prover()])


@lru_cache(maxsize=1)
def _prover() -> str:
    """Changes with what a proof is made by."""
    folder = Path(__file__).parent
    judges = folder.parent / "numerics"
    files = [folder / f"{name}.py" for name in ("boundary", "groups", "proof_classes", "prove")]
    files += [judges / f"{name}.py" for name in ("fp16", "metrics", "node_verdict")]
    return hash_value(list(hash_files(files).values()))


def joined(site: Proof, of_class: Proof) -> Proof:
    """The proof of a site: its own comparisons, and what the simulator said of its class."""
    names = tuple(
        replace(check, words=f"{check.words}; on {', '.join(of_class.nodes[:1])}, of the same class".lstrip("; "))
        for check in of_class.checks
        if check.name.startswith(("compiled", "simulator"))
    )
    return replace(site, checks=(*site.checks, *names), placement=site.placement or of_class.placement)
