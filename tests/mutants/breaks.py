"""Subtle one-line breaks of what the project promises, each with the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Break:
    """``old`` stands exactly once in ``file`` (below ``server/aipc``) and becomes ``new``; ``tests`` are pytest's."""

    promise: str
    file: str
    old: str
    new: str
    tests: str


BREAKS = (
    Break(
        "what was read lately stays in the cache",
        "core/cache.py",
        "            os.utime(path)",
        "            pass",
        "tests/core/test_cache.py -k read_lately",
    ),
    Break(
        "cleaning begins with what was used least recently",
        "core/cache_cleaning.py",
        "key=lambda piece: piece.used)",
        "key=lambda piece: -piece.used)",
        "tests/core/test_cache.py -k least_recently",
    ),
    Break(
        "a result with no recorded file is never found again",
        "core/cache.py",
        "files is None or (files and _unchanged(files))",
        "files is None or _unchanged(files)",
        "tests/core/test_cache.py -k manifest",
    ),
    Break(
        "a worker's memory is bounded by the container's limit",
        "core/workers.py",
        "total = min(total, int(_CGROUP_MEMORY.read_text()))",
        "total = max(total, int(_CGROUP_MEMORY.read_text()))",
        "tests/core/test_workers.py -k container",
    ),
    Break(
        "a directory with foreign files is refused before any work",
        "core/install.py",
        "if not empty and (reason := problem(destination)):",
        "if empty and (reason := problem(destination)):",
        "tests/core/test_install.py -k check_alone",
    ),
    Break(
        "nothing is written outside the project",
        "core/names.py",
        'if ".." in parts or not path.resolve().is_relative_to(inside):',
        'if ".." in parts and not path.resolve().is_relative_to(inside):',
        "tests/core/test_names.py",
    ),
    Break(
        "names that Windows cannot give are refused",
        "core/names.py",
        '_DEVICE.fullmatch(name.partition(".")[0])',
        "_DEVICE.fullmatch(name)",
        "tests/core/test_names.py",
    ),
    Break(
        "minus infinity in JSON keeps its sign",
        "core/plain_data.py",
        '("inf" if value > 0 else "-inf")',
        '"inf"',
        "tests/core/test_plain_data.py",
    ),
    Break(
        "an equally dear but less exact candidate is not among the best",
        "core/frontier.py",
        "and other.cost <= item.cost",
        "and other.cost < item.cost",
        "tests/pipeline/test_precision_search.py -k among_the_best",
    ),
    Break(
        "costs within two per cent count as equal",
        "core/frontier.py",
        "limit = max(min(costs) * _LIKE, min(costs) + like)",
        "limit = min(costs)",
        "tests/pipeline/test_precision_search.py -k costs_the_same",
    ),
    Break(
        "NaN alone fails a gate",
        "pipeline/gates.py",
        "if output.nan or output.inf:",
        "if output.nan and output.inf:",
        "tests/pipeline/test_gates.py",
    ),
    Break(
        "no package below 20 dB passes",
        "pipeline/gates.py",
        "max(output.ideal_fp16_sqnr_db - IDEAL_MARGIN_DB, FLOOR_SQNR_DB)",
        "output.ideal_fp16_sqnr_db - IDEAL_MARGIN_DB",
        "tests/pipeline/test_gates.py",
    ),
    Break(
        "two expressions refused for one reason are two findings",
        "pipeline/findings.py",
        "key = (explanation.rule, explanation.message, place)",
        "key = (explanation.rule, explanation.message)",
        "tests/pipeline/test_findings.py",
    ),
    Break(
        "what crosses to the CPU is added up",
        "pipeline/findings.py",
        'total = int(group.evidence.get("bytes_crossing", 0)) + crossing[node.node]',
        "total = crossing[node.node]",
        "tests/pipeline/test_findings.py",
    ),
    Break(
        "noise powers are a tenth of the dB, not a twentieth",
        "pipeline/fewest_layers.py",
        "allowed = 10 ** (-threshold_db / 10)",
        "allowed = 10 ** (-threshold_db / 20)",
        "tests/pipeline/test_precision_search.py -k needed",
    ),
    Break(
        "SQNR counts amplitudes twice",
        "numerics/metrics.py",
        "+ 20 * (math.log10(signal_peak)",
        "+ 10 * (math.log10(signal_peak)",
        "tests/numerics/test_metrics.py",
    ),
    Break(
        "an infinity where the reference is finite passes no threshold",
        "numerics/metrics.py",
        "np.any(np.isfinite(wanted) & ~np.isfinite(got))",
        "np.any(np.isfinite(wanted) & np.isnan(got))",
        "tests/numerics/test_metrics.py",
    ),
    Break(
        "channels far below zero are equalized too",
        "quantize/passes/equalize_channels.py",
        "_factors(np.maximum(-low, high),",
        "_factors(np.maximum(low, high),",
        "tests/quantize/test_equalize_channels.py -k below_zero",
    ),
    Break(
        "the smallest weight scale goes by output over input",
        "quantize/passes/clamp_tiny_weight_scales.py",
        "SMALLEST * steps[1] / steps[0]",
        "SMALLEST * steps[0] / steps[1]",
        "tests/quantize/test_clamp_tiny_weight_scales.py -k goes_by_the_steps",
    ),
    Break(
        "nothing that is held out calibrates",
        "quantize/calibrate/data.py",
        "return paths[: len(paths) - apart], paths[len(paths) - apart :]",
        "return paths, paths[len(paths) - apart :]",
        "tests/quantize/test_calibration.py -k held_out",
    ),
    Break(
        "every range of integers holds zero",
        "quantize/calibrate/ranges.py",
        "low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)",
        "low, high = histogram.low, max(histogram.high, 0.0)",
        "tests/quantize/test_ranges.py",
    ),
    Break(
        "proofs feed large negative numbers",
        "rewrites/boundary.py",
        "np.concatenate([_FAR, -_FAR, rng",
        "np.concatenate([_FAR, _FAR, rng",
        "tests/rewrites/test_prove.py -k boundary_sets",
    ),
    Break(
        "the rank is a part of a proof's class",
        "rewrites/proof_classes.py",
        'kinds[value.name] = f"{tensor.elem_type}{axes}"',
        'kinds[value.name] = f"{tensor.elem_type}{axes[:0]}"',
        "tests/rewrites/test_proof_classes.py -k attributes_and_ranks",
    ),
    Break(
        "an expression of several lines keeps its end when it moves",
        "lsp/check_state.py",
        "Position(end, place.end.column)",
        "Position(start, place.end.column)",
        "tests/lsp/test_moved.py",
    ),
    Break(
        "columns are counted in the client's units",
        "lsp/positions.py",
        "codec.position_to_client_units(lines, lsp.Position(line, position.column))",
        "lsp.Position(line, position.column)",
        "tests/lsp/test_positions.py",
    ),
    Break(
        "the compiler's columns in bytes become characters",
        "source/positions.py",
        "if line.isascii():",
        "if line:",
        "tests/source/test_lines.py",
    ),
    Break(
        "an operator's number in its module begins with 0",
        "capture/export.py",
        "counts.get(key, -1) + 1",
        "counts.get(key, 0) + 1",
        "tests/capture/test_node_names.py",
    ),
    Break(
        "what is asked stands above the configuration",
        "core/option.py",
        "if name in fields and getattr(request, name) == fields[name].default",
        "if name in fields",
        "tests/cli/test_options.py -k above_the_configuration",
    ),
)
