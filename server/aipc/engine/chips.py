"""Deploy for one chip, or for several at once: each verified by itself, then one package of all of them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

from aipc.core.config import Config, ModelRef
from aipc.core.errors import InputError
from aipc.core.names import state_path
from aipc.core.requests import DeployRequest
from aipc.core.scratch import scratch_directory
from aipc.core.types import DeployReport, Event, StageRecord
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.chips import merge_packages
from aipc.pipeline.package import check_output, install_package, read_manifest, recover_output
from aipc.qairt.soc import get_soc
from aipc.targets import RunOptions

from ._run import OnEvent, resolve
from .deploying import deploy_for_chip
from .packages import VerifyReport, verify


def several_socs(soc: str | None) -> tuple[str, ...]:
    """The part numbers in ``sm8650,sm8750``; empty when it names one chip or none."""
    names = [name for name in (soc or "").split(",") if name.strip()]
    return tuple(dict.fromkeys(get_soc(name).part for name in names)) if len(names) > 1 else ()


def deploy(
    request: DeployRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> DeployReport:
    """Take a model to a verified package for the chip, or the chips, of the request.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is a report with ``ok`` False.
    """
    if socs := several_socs(request.soc):
        return deploy_for_chips(request, socs, pool, on_event, cancel)
    return deploy_for_chip(request, pool, on_event, cancel)


def deploy_for_chips(
    request: DeployRequest,
    socs: tuple[str, ...],
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> DeployReport:
    """Deploy the model for every chip on the simulator, join the packages, and run the joined one on a device, if one
    is the target. The first chip whose gates are not passed ends it with its own report.
    """
    started = time.perf_counter()
    ref, _, precision, config = resolve(
        request.captured or request.model, socs[0], request.precision, request.inputs, request.cwd
    )
    target = request.target or config.target or "simulator"
    out = _place(request, ref, socs, precision)
    reports: dict[str, DeployReport] = {}
    with pool_or_new(pool) as workers, scratch_directory() as scratch:
        # Below the scratch directory: its owner holds a lock on that, and who installs locks the parent.
        directory = scratch / "parts"
        for soc in socs:
            if on_event:
                on_event(Event("deploy", f"for {soc}"))
            part = replace(request, soc=soc, target="simulator", out=directory / soc)
            reports[soc] = deploy_for_chip(part, workers, on_event, cancel)
            if not reports[soc].ok:
                return reports[soc]
            if reports[soc].packages:
                raise InputError(
                    f"{ref.name} becomes a package for each of its sizes, and cannot be one for several chips as well",
                    remedy="deploy for one chip at a time, or pin the dimension in dims",
                )
        parts = {soc: directory / soc for soc in socs}
        merged = directory / "merged"
        merge_packages(parts, merged)
        install_package(merged, out, read_manifest(parts[socs[0]]).get("gates", {}))
        verified = None
        if target != "simulator":
            verified = verify(out, target, workers, on_event, cancel, _options(request, config, target))
    return _report(reports, out, target, verified, time.perf_counter() - started)


def _place(request: DeployRequest, ref: ModelRef, socs: tuple[str, ...], precision: str) -> Path:
    default = ("packages", f"{ref.name}-{'+'.join(socs)}-{precision}")
    out = (request.cwd or Path.cwd()) / (request.out or state_path(ref.root, *default))
    recover_output(out)
    check_output(out)
    return out


def _options(request: DeployRequest, config: Config, target: str) -> RunOptions:
    return RunOptions(setup=request.setup, settings=config.targets.get(target, {}))


def _report(
    reports: dict[str, DeployReport], out: Path, target: str, verified: VerifyReport | None, seconds: float
) -> DeployReport:
    """One report of all: the stages of each chip under its name, and what the device said of the joined package."""
    stages = [
        replace(record, name=f"{soc}: {record.name}") for soc, report in reports.items() for record in report.stages
    ]
    last = next(reversed(reports.values()))
    timings = {record.name: record.seconds for record in stages} | {"total": round(seconds, 4)}
    whole = replace(
        last,
        soc=",".join(reports),
        target=target,
        stages=tuple(stages),
        package=str(out),
        timings=timings,
        findings=tuple(finding for report in reports.values() for finding in report.findings),
    )
    if verified is None:
        return whole
    record = StageRecord("verify", 0.0, False, verified.gate, f"the package of all chips on {target}")
    return replace(
        whole,
        ok=verified.ok,
        stages=(*stages, record),
        package=str(out) if verified.ok else None,
        accuracy={"outputs": verified.accuracy},
        latency=verified.latency,
        device=verified.device,
        findings=(*whole.findings, *verified.findings),
    )
