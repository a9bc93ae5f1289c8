/** The history of deployments, with what each stage said. */

import * as vscode from "vscode";
import type { RunStage, RunSummary } from "../protocol.ts";
import type { Server } from "../server.ts";
import { RUN_ICONS, seconds, when } from "../text.ts";

export interface RunNode {
  run: RunSummary;
  stage?: RunStage;
}

export class RunsView implements vscode.TreeDataProvider<RunNode> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #server: Server;
  readonly #listed: (runs: readonly RunSummary[]) => void;
  runs: readonly RunSummary[] = [];
  #wanted: Promise<void> | undefined;

  constructor(server: Server, listed: (runs: readonly RunSummary[]) => void) {
    this.#server = server;
    this.#listed = listed;
  }

  /** Several wishes while one is being answered are one. */
  refresh(): Promise<void> {
    this.#wanted ??= this.#load().finally(() => (this.#wanted = undefined));
    return this.#wanted;
  }

  async #load(): Promise<void> {
    const before = JSON.stringify(this.runs);
    this.runs = (await this.#server.ask<RunSummary[]>("runs")) ?? [];
    if (JSON.stringify(this.runs) === before) return;
    this.#changed.fire(undefined);
    this.#listed(this.runs);
  }

  getChildren(node?: RunNode): RunNode[] {
    if (!node) return this.runs.map((run) => ({ run }));
    return node.stage ? [] : node.run.stages.map((stage) => ({ run: node.run, stage }));
  }

  getTreeItem({ run, stage }: RunNode): vscode.TreeItem {
    return stage ? stageItem(run, stage) : runItem(run);
  }
}

function runItem(run: RunSummary): vscode.TreeItem {
  const item = new vscode.TreeItem(run.model, vscode.TreeItemCollapsibleState.Collapsed);
  const { icon, colour } = RUN_ICONS[run.state];
  item.id = run.directory;
  item.iconPath = new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
  const took = run.state === "running" ? "running" : `${run.state} in ${seconds(run.seconds)}`;
  item.description = `${run.soc} · ${run.precision} · ${took} · ${when(run.started)}`;
  item.tooltip = [`${run.model} for ${run.soc} on ${run.target}`, run.message].filter(Boolean).join("\n");
  item.contextValue = ["run", run.report && "report", run.package && "package"].filter(Boolean).join(" ");
  return item;
}

function stageItem(run: RunSummary, stage: RunStage): vscode.TreeItem {
  const item = new vscode.TreeItem(stage.name);
  item.id = `${run.directory}#${stage.name}`;
  const time = stage.seconds === null ? "not ended" : stage.cached ? "cached" : seconds(stage.seconds);
  item.description = [time, stage.gate].filter(Boolean).join(" · ");
  const icon = stage.ok === false ? "error" : stage.seconds === null ? "circle-outline" : stage.ok ? "pass" : "check";
  const colour = stage.ok === false ? "testing.iconFailed" : stage.ok ? "testing.iconPassed" : undefined;
  item.iconPath = new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
  item.contextValue = "stage";
  return item;
}
