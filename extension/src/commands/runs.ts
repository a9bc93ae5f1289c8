/** What can be done with a run of the list. */

import * as vscode from "vscode";
import type { Command, Host } from "../host.ts";
import type { PackageInfo, RunSummary } from "../protocol.ts";
import { seconds, when } from "../text.ts";
import { showComparison } from "../views/comparePanel.ts";
import { showReport } from "../views/reportPanel.ts";

interface RunItem {
  run?: RunSummary;
  info?: PackageInfo;
}

export const openReport: Command = {
  id: "aipc.openReport",
  async run(host, item) {
    const run =
      (item as RunItem | undefined)?.run ?? (await pick(host, "Open the report of", (one) => one.report !== null));
    if (run?.report) await showReport(run.report, `${run.model} · ${run.soc}`);
  },
};

export const redoRun: Command = {
  id: "aipc.redoRun",
  async run(host, item) {
    const run = (item as RunItem | undefined)?.run;
    if (!run) return;
    await host.deploy({
      model: run.reference,
      uri: vscode.Uri.file(`${run.root}/pyproject.toml`).toString(),
      soc: run.soc,
      precision: run.precision,
      ...(run.calibration ? { calibration: run.calibration } : {}),
      target: run.target,
      allowCpu: run.allow_cpu,
    });
  },
};

export const revealPackage: Command = {
  id: "aipc.revealPackage",
  async run(_host, item) {
    const directory =
      typeof item === "string" ? item : ((item as RunItem).run?.package ?? (item as RunItem).info?.directory);
    if (!directory) return;
    const manifest = vscode.Uri.file(`${directory}/manifest.json`);
    const inside = vscode.workspace.getWorkspaceFolder(manifest) !== undefined;
    await vscode.commands.executeCommand(inside ? "revealInExplorer" : "revealFileInOS", manifest);
  },
};

export const compareRuns: Command = {
  id: "aipc.compareRuns",
  async run(host, item, selected) {
    let two = (selected as RunItem[] | undefined)?.flatMap(({ run }) => (run ? [run] : [])) ?? [];
    if (two.length < 2) two = [...host.selectedRuns()];
    const first = two[0] ?? (item as RunItem | undefined)?.run ?? (await pick(host, "Compare", () => true));
    if (!first) return;
    const second = two[1] ?? (await pick(host, "… with", (one) => one.directory !== first.directory));
    if (second) await showComparison(first, second);
  },
};

async function pick(host: Host, title: string, fits: (run: RunSummary) => boolean): Promise<RunSummary | undefined> {
  const picked = await vscode.window.showQuickPick(
    host
      .runs()
      .filter(fits)
      .map((run) => ({
        label: run.model,
        description: `${run.soc} · ${run.precision} · ${run.state}`,
        detail: `${when(run.started)}, ${seconds(run.seconds)}`,
        run,
      })),
    { title },
  );
  return picked?.run;
}
