"""What ``aipc ops`` prints, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from aipc.ops.coverage_after_rewrites import Share, share_text, shares
from aipc.ops.data import Coverage, Data, MeasuredVariant
from aipc.ops.documents import measured_document
from aipc.ops.measurements import CPU, FAILS, NO_EXPORT, RUNS, WRONG, Measured
from aipc.ops.run import Filled, Rechecked, VerdictChange, verdict_counts
from aipc.qairt.soc import SoC

from ._format import table_of

_STYLES = {RUNS: "green", WRONG: "bold magenta", CPU: "yellow", FAILS: "bold red", NO_EXPORT: "bold red"}
_MOST = 200


def summary_page(data: Data) -> Iterator[Any]:
    libraries = ", ".join(f"{name} {version}" for name, version in data.versions.items() if name != "qairt")
    yield Text(
        f"QAIRT {data.qairt}, {data.precision}: {len(data.operators)} operators, {len(data.variants)} variants", "bold"
    )
    yield Text(f"measured with {libraries}")
    yield _counts(data.socs, verdict_counts(data))
    if data.rewritten:
        yield shares_table(shares(data))
    yield from _coverage(data.coverage)


def shares_table(shares: Sequence[Share]) -> Any:
    """How many variants run as they are written, and how many once deploy has rewritten them."""
    table = table_of("arch", "variants", "run as written", "run rewritten")
    for item in shares:
        before = share_text(item.before, item.variants)
        table.add_row(f"v{item.arch}", str(item.variants), before, item.rewritten)
    return table


def filled_page(filled: Filled) -> Iterator[Any]:
    yield _counts(filled.socs, filled.verdicts)
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in filled.host_seconds.items())
    now = f"{filled.measured} measured now in {filled.seconds:.0f} s"
    yield Text(f"{filled.operators} operators, {filled.variants} variants; {now}")
    yield Text(f"host time of all processes: {seconds}")
    yield from _coverage(filled.coverage)
    yield Text(f"written: {filled.path}")


def lookup_page(
    data: Data, names: Sequence[str], variants: Sequence[MeasuredVariant], columns: Mapping[str, SoC | None]
) -> Iterator[Any]:
    """``columns``: measured SoC -> the SoC that was asked for, None for all."""
    yield Text(", ".join(names), "bold")
    for part, soc in columns.items():
        if soc is not None and soc.part != part:
            yield Text(f"{soc.title} has the same HTP, v{soc.htp_arch}, as {part.upper()}, which was measured")
    labels = {part: f"v{data.socs[part]}" for part in columns}
    table = table_of("variant", *labels.values(), "why")
    for variant in variants[:_MOST]:
        measurements = [variant.measured.get(part) for part in columns]
        cells = [
            Text(item.verdict, _STYLES[item.verdict]) if item else Text("not measured", "dim") for item in measurements
        ]
        table.add_row(Text(variant.id.replace(",", ", ")), *cells, Text("\n".join(_reasons(data, variant, labels))))
    yield table
    if len(variants) > _MOST:
        yield Text(f"and {len(variants) - _MOST} more variants (all of them with --json)", "dim")
    chips = ", ".join(f"{part} (v{data.socs[part]})" for part in columns)
    yield Text(f"measured with QAIRT {data.qairt} in {data.precision} on the simulator of {chips}", "dim")


def _reasons(data: Data, variant: MeasuredVariant, labels: Mapping[str, str]) -> Iterator[str]:
    """Each reason once, after the archs that it is of where they are not all."""
    grouped: dict[str, list[str]] = {}
    for part, label in labels.items():
        if (measured := variant.measured.get(part)) and (text := _why(measured)):
            grouped.setdefault(text, []).append(label)
    for text, archs in grouped.items():
        yield text if len(archs) == len(labels) else f"{', '.join(archs)}: {text}"
    cured = {part: item for part, item in data.rewritten.get(variant.id, {}).items() if item.verdict == RUNS}
    for rules in dict.fromkeys(item.rules for part, item in cured.items() if part in labels):
        yield f"deploy rewrites it, and it runs: {', '.join(rules)}"


def _why(measured: Measured) -> str:
    if measured.verdict == RUNS:
        if measured.rounding and measured.sqnr_db is not None:
            return f"as far from fp32 as fp16 itself is ({measured.sqnr_db:.0f} dB)"
        return ""
    blamed = measured.fails if measured.verdict == FAILS else measured.cpu
    text = measured.reason or "QAIRT gives no reason"
    only = "only with boundary values: " if measured.values == "boundary" else ""
    return f"{only}{text}" + (f" ({', '.join(blamed)})" if blamed and not any(op in text for op in blamed) else "")


def recheck_page(rechecked: Rechecked) -> Iterator[Any]:
    yield from _changes(rechecked.changes)
    share = f"{100 * rechecked.agreement:.1f} %"
    text = f"{rechecked.agree} of {rechecked.compared} verdicts agree ({share}), {rechecked.seconds:.0f} s"
    yield Text(text, "bold red" if rechecked.changes else "bold green")


def recheck_document(rechecked: Rechecked) -> dict[str, Any]:
    return {
        "compared": rechecked.compared,
        "agree": rechecked.agree,
        "agreement": rechecked.agreement,
        "seconds": rechecked.seconds,
        "changes": [_change(item) for item in rechecked.changes],
    }


def diff_page(changes: Sequence[VerdictChange]) -> Iterator[Any]:
    yield from _changes([item for item in changes if item.verdict])
    reasons = sum(not item.verdict for item in changes)
    if not changes:
        yield Text("no difference", "bold green")
    else:
        yield Text(f"{len(changes) - reasons} verdicts differ, {reasons} only in their reason", "bold")


def diff_document(changes: Sequence[VerdictChange]) -> dict[str, Any]:
    return {"verdicts": sum(item.verdict for item in changes), "changes": [_change(item) for item in changes]}


def _change(item: VerdictChange) -> dict[str, Any]:
    sides = {"before": item.before, "after": item.after}
    return {
        "variant": item.variant,
        "soc": item.soc,
        **{name: measured_document(side) if side else None for name, side in sides.items()},
    }


def _changes(changes: Sequence[VerdictChange]) -> Iterator[Any]:
    if not changes:
        return
    table = table_of("variant", "SoC", "before", "after")
    for item in changes[:_MOST]:
        sides = (
            f"{side.verdict}: {side.reason}".rstrip(": ") if side else "absent" for side in (item.before, item.after)
        )
        table.add_row(Text(item.variant), item.soc, *(Text(side) for side in sides))
    yield table


def _counts(socs: Mapping[str, int], counts: Mapping[str, Mapping[str, int]]) -> Any:
    verdicts = list(next(iter(counts.values()), {}))
    table = table_of("HTP", "SoC", *verdicts)
    for soc, arch in socs.items():
        table.add_row(f"v{arch}", soc, *(str(counts[soc][verdict]) for verdict in verdicts))
    return table


def _coverage(coverage: Coverage) -> Iterator[Text]:
    share = f"{len(coverage.covered)} of {len(coverage.registry)} operators"
    yield Text(f"{share} in the registry of PyTorch's exporter are covered")
    if coverage.gaps:
        yield Text(f"not covered: {', '.join(name.removeprefix('aten::') for name in coverage.gaps)}", "dim")
