/** Words and numbers for people. */

import type { DeployReport, Effective, Figure, Finding, Gate, RunSummary, StageRecord } from "./protocol.ts";

export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 90) return `${Math.round(value)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = count / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ""}`;
}

/** JSON has no infinity: the server writes it as a string. */
export function decibels(value: Figure): string {
  if (value === "inf") return "exact";
  return typeof value === "number" ? `${value.toFixed(1)} dB` : value;
}

export function when(secondsSince1970: number, now = Date.now()): string {
  const ago = Math.max(0, now / 1000 - secondsSince1970);
  if (ago < 60) return "just now";
  if (ago < 3600) return `${Math.floor(ago / 60)} min ago`;
  if (ago < 86400) return `${Math.floor(ago / 3600)} h ago`;
  return new Date(secondsSince1970 * 1000).toISOString().slice(0, 10);
}

export const RUN_ICONS: Record<RunSummary["state"], { icon: string; colour?: string }> = {
  running: { icon: "sync~spin" },
  passed: { icon: "pass", colour: "testing.iconPassed" },
  failed: { icon: "error", colour: "testing.iconFailed" },
  error: { icon: "warning", colour: "problemsWarningIcon.foreground" },
  cancelled: { icon: "circle-slash" },
  interrupted: { icon: "debug-disconnect" },
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A column in code points as the editor's column in UTF-16 units. */
export function utf16Column(line: string, codePoints: number): number {
  return Array.from(line).slice(0, codePoints).join("").length;
}

/** "the default", or "as [tool.aipc] in pyproject.toml says". */
export function sourceText(source: string): string {
  return source.startsWith("the default") ? source : `as ${source} says`;
}

/** Three lines: chip, precision and target, each with who says so. */
export function inEffect({ soc, precision, target, title }: Effective): string {
  return [
    `${title}: ${sourceText(soc.source)}`,
    `${precision.value}: ${sourceText(precision.source)}`,
    `${target.value}: ${sourceText(target.source)}`,
  ].join("\n");
}

/** "passed in the simulator of SM8650", or "runs on SM8650 (ssh:phone)". */
export function passedWhere({ soc, target }: Pick<DeployReport, "soc" | "target">): string {
  const chip = soc.toUpperCase();
  return target === "simulator" ? `passed in the simulator of ${chip}` : `runs on ${chip} (${target})`;
}

/** A gate that was missed: the stage, what was measured and wanted, and the finding that says why. */
export function failedGate(model: string, stage: StageRecord | undefined, finding: Finding | undefined): string {
  const gate = stage?.gate;
  const measured = gate ? gateFigures(gate) : "";
  const fp16 = /correctly rounded fp16 run has (-?[\d.]+ dB)/.exec(gate?.detail ?? "")?.[1];
  const figures = [measured, fp16 && `correctly rounded fp16 reaches ${fp16}`].filter(Boolean).join("; ");
  const why = upperFirst(finding?.message ?? gate?.detail ?? "").replace(/\.?$/, ".");
  return `${model} failed the gate after ${stage?.name ?? "a stage"}${figures && `: ${figures}`}.${why === "." ? "" : ` ${why}`}`;
}

/** What a gate measured and wanted, as the server says it in its lists of runs. */
export function gateFigures({
  metric,
  value,
  threshold,
  ok,
}: Pick<Gate, "metric" | "value" | "threshold" | "ok">): string {
  if (metric === "captured") return ok ? "captured" : "not captured";
  if (metric === "nodes off the NPU") return `${counted(value ?? 0, "node")} off the NPU`;
  const [name, unit] = metric === "sqnr_db" ? ["SQNR", " dB"] : [metric.replaceAll("_", " "), ""];
  const measured = value === null ? "not measured" : value === "inf" ? "exact" : `${rounded(value, unit)}${unit}`;
  return `${name} ${measured}, wanted ${rounded(threshold, unit)}${unit}`;
}

/** "1 node", "2 nodes". */
export function counted(count: Figure, noun: string): string {
  return `${count} ${noun}${Number(count) === 1 ? "" : "s"}`;
}

/** Decibels to a tenth, other figures to four digits. */
export function rounded(value: Figure, unit = " dB"): string {
  if (typeof value !== "number") return value;
  return String(unit ? Math.round(value * 10) / 10 : Number(value.toPrecision(4)));
}

/** A sentence begins with a capital, but a name of a file or of a function stays as it is. */
export function upperFirst(text: string): string {
  return /^[a-z]+ /.test(text) && !text.startsWith("forward ") ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
