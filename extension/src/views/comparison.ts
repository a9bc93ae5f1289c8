/** The page that compares runs, as HTML. */

import type { DeployReport, RunSummary } from "../protocol.ts";
import { decibels, escapeHtml, seconds } from "../text.ts";

const STYLE = `
body{font:var(--vscode-font-size)/1.5 var(--vscode-font-family);color:var(--vscode-foreground);padding:1rem 2rem;max-width:900px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem 1rem .35rem 0;border-bottom:1px solid var(--vscode-widget-border,#8884)}
th.head{color:var(--vscode-descriptionForeground);font-weight:600;padding-top:1.2rem}td.differs{font-weight:700}
`;

type Row = [string, ...string[]];

export function comparison(runs: readonly RunSummary[], reports: readonly (DeployReport | undefined)[]): string {
  const sections: [string, Row[]][] = [
    ["Run", runRows(runs)],
    ["Stages", stageRows(runs)],
    ["Nodes", placementRows(reports)],
    ["SQNR against PyTorch", outputRows(reports)],
  ];
  const body = sections
    .filter(([, rows]) => rows.length > 0)
    .map(
      ([title, rows]) =>
        `<tr><th class="head" colspan="${runs.length + 1}">${title}</th></tr>${rows.map(row).join("")}`,
    )
    .join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><style>${STYLE}</style></head><body><table>${body}</table></body></html>`;
}

function row([name, ...values]: Row): string {
  const differs = new Set(values).size > 1 ? ' class="differs"' : "";
  return `<tr><td>${escapeHtml(name)}</td>${values.map((value) => `<td${differs}>${escapeHtml(value)}</td>`).join("")}</tr>`;
}

function runRows(runs: readonly RunSummary[]): Row[] {
  const of = (name: string, value: (run: RunSummary) => string): Row => [name, ...runs.map(value)];
  return [
    of("model", (run) => run.model),
    of("SoC", (run) => run.soc),
    of("precision", (run) => run.precision),
    of("target", (run) => run.target),
    of("result", (run) => run.state),
    of("started", (run) => new Date(run.started * 1000).toISOString().replace("T", " ").slice(0, 19)),
    of("time", (run) => seconds(run.seconds)),
  ];
}

function stageRows(runs: readonly RunSummary[]): Row[] {
  const names = [...new Set(runs.flatMap((run) => run.stages.map((stage) => stage.name)))];
  return names.map((name) => [
    name,
    ...runs.map((run) => {
      const stage = run.stages.find((item) => item.name === name);
      if (!stage) return "–";
      const time = stage.seconds === null ? "not ended" : stage.cached ? "cached" : seconds(stage.seconds);
      return [time, stage.gate].filter(Boolean).join(" · ");
    }),
  ]);
}

function placementRows(reports: readonly (DeployReport | undefined)[]): Row[] {
  if (!reports.some((report) => report?.placement)) return [];
  const labels = { npu: "on the NPU", cpu: "on the CPU", fails: "fail" } as const;
  return (Object.keys(labels) as (keyof typeof labels)[]).map((key) => [
    labels[key],
    ...reports.map((report) => String(report?.placement?.[key] ?? "–")),
  ]);
}

function outputRows(reports: readonly (DeployReport | undefined)[]): Row[] {
  const of = (report: DeployReport | undefined) => report?.accuracy?.outputs ?? [];
  const names = [...new Set(reports.flatMap((report) => of(report).map((output) => output.name)))];
  return names.map((name) => [
    name,
    ...reports.map((report) => {
      const output = of(report).find((item) => item.name === name);
      return output ? decibels(output.sqnr_db) : "–";
    }),
  ]);
}
