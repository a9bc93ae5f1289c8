/** What colour, pattern and words stand for a node's placement, its error and its latency. */

export const PLACEMENTS = {
  npu: { label: "NPU", badge: "", meaning: "runs on the NPU" },
  cpu: { label: "CPU", badge: "CPU", meaning: "falls back to the CPU" },
  fails: { label: "Fails", badge: "✕", meaning: "does not compile for this SoC" },
  wrong: { label: "Wrong numbers", badge: "≠", meaning: "compiles, but its numbers are off" },
};

export const MODES = ["placement", "error", "introduced", "latency"];

/** From this SQNR on a node counts as exact, down to this one as useless. */
export const GOOD_DB = 60;
export const BAD_DB = 10;

/** How bad, from 0 to 1. */
export function errorHeat(decibel) {
  return Math.min(1, Math.max(0, (GOOD_DB - decibel) / (GOOD_DB - BAD_DB)));
}

/** A share of the model's error: a tenth is worth a look already. */
export function shareHeat(share) {
  return Math.sqrt(Math.min(1, Math.max(0, share)));
}

export function percent(share) {
  return share < 0.005 ? "" : `${Math.round(share * 100)} %`;
}

export function latencyHeat(microseconds, most) {
  return most > 0 ? microseconds / most : 0;
}

/** A CSS colour between the style sheet's cool, middle and hot. */
export function heatColour(heat) {
  const [low, high, share] = heat < 0.5 ? ["cool", "mid", heat * 2] : ["mid", "hot", heat * 2 - 1];
  return `color-mix(in oklab, var(--aipc-${high}) ${Math.round(share * 100)}%, var(--aipc-${low}))`;
}

export function decibels(value) {
  return value >= 100 ? "exact" : `${Math.round(value)} dB`;
}

export function duration(microseconds) {
  if (microseconds >= 10_000) return `${Math.round(microseconds / 1000)} ms`;
  if (microseconds >= 1000) return `${(microseconds / 1000).toFixed(1)} ms`;
  return `${microseconds < 10 ? microseconds.toFixed(1) : Math.round(microseconds)} µs`;
}

/** The largest latency of all nodes, 0 when no device measured any. */
export function mostLatency(nodes) {
  return Object.values(nodes).reduce(
    (most, { latency_us: value }) => (Number.isFinite(value) ? Math.max(most, value) : most),
    0,
  );
}

export function hasShare(nodes) {
  return Object.values(nodes).some(({ share }) => Number.isFinite(share));
}

export function hasError(nodes) {
  return Object.values(nodes).some(({ sqnr_db: value }) => Number.isFinite(value));
}

/**
 * What to show on one node.
 *
 * @returns {{kind: string, fill?: string, badge: string}} `kind` is a placement, "heat" or "none"
 */
export function look(entry, mode, most) {
  if (mode === "error" && Number.isFinite(entry?.sqnr_db)) {
    return { kind: "heat", fill: heatColour(errorHeat(entry.sqnr_db)), badge: decibels(entry.sqnr_db) };
  }
  if (mode === "introduced" && Number.isFinite(entry?.share)) {
    return { kind: "heat", fill: heatColour(shareHeat(entry.share)), badge: percent(entry.share) };
  }
  if (mode === "latency" && Number.isFinite(entry?.latency_us)) {
    return { kind: "heat", fill: heatColour(latencyHeat(entry.latency_us, most)), badge: duration(entry.latency_us) };
  }
  if (mode === "placement" && entry && entry.placement in PLACEMENTS) {
    return { kind: entry.placement, badge: PLACEMENTS[entry.placement].badge };
  }
  return { kind: "none", badge: "" };
}

/** The lines of a node's tooltip below its name. */
export function described(entry) {
  if (!entry) return [];
  const { placement, reason, sqnr_db: decibel, introduced_db: introduced, share, latency_us: latency } = entry;
  const lines =
    placement in PLACEMENTS ? [`${PLACEMENTS[placement].label}: ${reason ?? PLACEMENTS[placement].meaning}`] : [];
  if (Number.isFinite(decibel)) lines.push(`SQNR ${decibels(decibel)}`);
  if (Number.isFinite(introduced)) lines.push(`Introduced here: ${decibels(introduced)}`);
  if (Number.isFinite(share)) lines.push(`${percent(share) || "0 %"} of the error at the outputs`);
  if (Number.isFinite(latency)) lines.push(`${duration(latency)} on the device`);
  return lines;
}
