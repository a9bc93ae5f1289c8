/** Words and numbers for people. */

import type { Effective, RunState } from "./protocol.ts";

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
export function decibels(value: number | string): string {
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

export const RUN_ICONS: Record<RunState, { icon: string; colour?: string }> = {
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
