"""Does this package fit that device? Compared axis by axis before anything is pushed; a pure function over plain data.

What a device does not say of itself is not held against it: only a contradiction is a mismatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aipc.core.errors import UnknownSoCError
from aipc.qairt.soc import SoC, get_soc

from .base import Facts, Mismatch
from .contexts import deploy_again

Manifest = Mapping[str, Any]

SPARE_BYTES = 64 << 20
"""What must stay free beside the package: its outputs, the profile, the log."""
SKEW_SECONDS = 300.0
_MEGABYTE = 1e6

_GLIBC = (2, 35)
"""What the wheels of onnxruntime-qnn need (their platform tag)."""


def preflight(manifest: Manifest, facts: Facts, *, size: int | None = None, target: str = "") -> tuple[Mismatch, ...]:
    """Every mismatch between a package and a device, the blocking ones first.

    Args:
        manifest: of the package.
        size: bytes of the package that are still to be pushed; None when nothing is.
        target: the device's name, for the command that compiles for it.
    """
    looked = (_soc(manifest, facts, target), *(check(manifest, facts) for check in _CHECKS))
    mismatches = [mismatch for mismatch in looked if mismatch]
    if size is not None and (mismatch := _space(facts, size)):
        mismatches.append(mismatch)
    return tuple(sorted(mismatches, key=lambda item: not item.blocks))


def soc_of(names: Sequence[str]) -> SoC | None:
    """The first of a device's own names for its chip that QAIRT knows, such as ``SM8650`` or ``qcom,x1e80100``."""
    for name in names:
        plain = name.strip().rpartition(",")[2]
        for candidate in (plain, *_WORDS.get(plain.lower(), ())):
            try:
                return get_soc(candidate)
            except UnknownSoCError:
                continue
    return None


_WORDS: Mapping[str, tuple[str, ...]] = {
    # Names that device trees and Windows use, for chips that QNN's log names otherwise.
    "x1e80100": ("x-elite",),
    "x1e78100": ("x-elite",),
    "x1e84100": ("x-elite",),
    "x1p64100": ("x-elite",),
    "sc8280xp": ("sc8280x",),
    "qcm6490": ("qcs6490",),
    "qcs6490": ("qcs6490",),
    "sa8775p": ("qcs9100",),
}


def _soc(manifest: Manifest, facts: Facts, target: str) -> Mismatch | None:
    if not facts.soc or facts.soc in _socs(manifest):
        return None
    chip, made_for = get_soc(facts.soc), " or ".join(_socs(manifest))
    origin = f" (so says {facts.soc_source})" if facts.soc_source else ""
    return Mismatch(
        "soc",
        f"the package was compiled for {made_for} and this device is {chip.title}{origin}",
        f"compile for this device: {deploy_again(manifest, chip.part, target)}",
    )


def _htp_arch(manifest: Manifest, facts: Facts) -> Mismatch | None:
    if facts.htp_arch is None or facts.htp_arch in _archs(manifest):
        return None
    wanted = " or ".join(f"v{arch}" for arch in _archs(manifest))
    return Mismatch(
        "htp_arch",
        f"the package's context binary is for HTP {wanted} and this device has v{facts.htp_arch}",
        "compile for this device's SoC with --soc",
    )


def _vtcm(manifest: Manifest, facts: Facts) -> Mismatch | None:
    needed = manifest.get("vtcm_mb")
    if needed is None or facts.vtcm_mb is None or needed <= facts.vtcm_mb:
        return None
    return Mismatch(
        "vtcm",
        f"the package was planned for {needed} MB of VTCM and this device has {facts.vtcm_mb} MB",
        "compile for this device's SoC with --soc",
    )


def _qairt(manifest: Manifest, facts: Facts) -> Mismatch | None:
    """A context binary runs on the QAIRT that made it, or a newer one of the same major version."""
    built, there = _version(manifest.get("qairt", "")), _version(facts.qairt)
    if not built or not there or (there[0] == built[0] and there >= built):
        return None
    return Mismatch(
        "qairt",
        f"the package was compiled with QAIRT {manifest['qairt']} and the device has {facts.qairt}",
        "let AIPC set the device up with a matching onnxruntime-qnn (--setup), or deploy the model again with QAIRT "
        f"{facts.qairt}",
    )


def _system(manifest: Manifest, facts: Facts) -> Mismatch | None:
    if not facts.system or facts.system in {"linux", "windows", "android"}:
        return None
    return Mismatch("os", f"there is no QAIRT for {facts.os or facts.system}", "use Linux, Windows or Android")


def _abi(manifest: Manifest, facts: Facts) -> Mismatch | None:
    if facts.machine and facts.machine.lower() not in {"aarch64", "arm64", "arm64-v8a", "x86_64", "amd64"}:
        return Mismatch("abi", f"there is no QAIRT for the ABI {facts.machine}", "use a 64-bit system on the device")
    libc = facts.libc.split()
    if facts.system == "linux" and libc[:1] == ["musl"]:
        return Mismatch("abi", "the device's C library is musl and QAIRT needs glibc", "use a system with glibc")
    if libc[:1] == ["glibc"] and _version(libc[1])[:2] < _GLIBC:
        return Mismatch(
            "abi",
            f"the device has {facts.libc} and onnxruntime-qnn needs {'.'.join(map(str, _GLIBC))} or newer",
            "update the device's system",
        )
    return None


def _shapes(manifest: Manifest, facts: Facts) -> Mismatch | None:
    for spec in manifest.get("inputs", ()):
        if not all(isinstance(size, int) and size > 0 for size in spec["shape"]):
            return Mismatch(
                "shape",
                f"input {spec['name']} has the shape {list(spec['shape'])} and the NPU runs fixed shapes only",
                "give the dimension a size in dims of the configuration",
            )
    return None


def _npu(manifest: Manifest, facts: Facts) -> Mismatch | None:
    if facts.has_npu is False:
        return Mismatch(
            "npu", "onnxruntime finds no NPU on the device", "check its driver, its skel libraries and onnxruntime-qnn"
        )
    if facts.npu_users:
        return Mismatch(
            "npu",
            f"the NPU is in use by {', '.join(facts.npu_users)}",
            "stop it for a latency that means something",
            blocks=False,
        )
    return None


def _clock(manifest: Manifest, facts: Facts) -> Mismatch | None:
    if facts.clock_skew is None or abs(facts.clock_skew) < SKEW_SECONDS:
        return None
    direction = "ahead of" if facts.clock_skew > 0 else "behind"
    return Mismatch(
        "clock",
        f"the device's clock is {abs(facts.clock_skew):.0f} s {direction} this computer's",
        "set its clock; nothing here depends on it, but online setup and certificates do",
        blocks=False,
    )


def _space(facts: Facts, size: int) -> Mismatch | None:
    if facts.free_bytes is None or facts.free_bytes >= size + SPARE_BYTES:
        return None
    return Mismatch(
        "space",
        f"the device has {facts.free_bytes / _MEGABYTE:.0f} MB free and the package needs "
        f"{(size + SPARE_BYTES) / _MEGABYTE:.0f} MB",
        "free some space on the device",
    )


_CHECKS: tuple[Callable[[Manifest, Facts], Mismatch | None], ...] = (
    _htp_arch,
    _vtcm,
    _qairt,
    _system,
    _abi,
    _shapes,
    _npu,
    _clock,
)


def _socs(manifest: Manifest) -> tuple[str, ...]:
    """One SoC, or the several that a package has a context for (``contexts``: [{"soc", "htp_arch", …}])."""
    several = tuple(context["soc"] for context in manifest.get("contexts", ()))
    return several or (manifest["soc"],)


def _archs(manifest: Manifest) -> tuple[int, ...]:
    several = tuple(context["htp_arch"] for context in manifest.get("contexts", ()))
    return several or (manifest["htp_arch"],)


def _version(text: str) -> tuple[int, ...]:
    parts = []
    for part in text.split(".")[:3]:
        digits = part.partition("-")[0]
        if not digits.isdigit():
            break
        parts.append(int(digits))
    return tuple(parts)
