/** The gates of runs in the Test Explorer: published, not run from there. */

import * as vscode from "vscode";
import type { RunSummary } from "../protocol.ts";

const KEY = "aipc.published";

export class GateTests implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController("aipc.gates", "AIPC gates");
  readonly #state: vscode.Memento;

  constructor(state: vscode.Memento) {
    this.#state = state;
  }

  /** Publish the runs that have ended since the last time; of each model and SoC the newest decides. */
  publish(runs: readonly RunSummary[]): void {
    const newest = new Map<string, RunSummary>();
    for (const run of runs) {
      const key = `${run.root}#${run.model}#${run.soc}#${run.precision}`;
      if (run.stages.some((stage) => stage.ok !== null) && !newest.has(key)) newest.set(key, run);
    }
    const told = new Set(this.#state.get<string[]>(KEY, []));
    for (const [key, run] of newest) {
      const parent = this.#item(key, run);
      if (run.state === "running" || (told.has(run.directory) && this.#known.has(run.directory))) continue;
      this.#known.add(run.directory);
      this.#publish(run, parent);
    }
    void this.#state.update(
      KEY,
      [...newest.values()].map((run) => run.directory),
    );
  }

  readonly #known = new Set<string>();

  #item(key: string, run: RunSummary): vscode.TestItem {
    let parent = this.#controller.items.get(key);
    if (!parent) {
      parent = this.#controller.createTestItem(key, run.model);
      parent.description = `${run.soc} ${run.precision}`;
      this.#controller.items.add(parent);
    }
    for (const stage of run.stages) {
      const id = `${key}#${stage.name}`;
      if (stage.ok === null || parent.children.get(id)) continue;
      parent.children.add(this.#controller.createTestItem(id, `${stage.name} gate`));
    }
    return parent;
  }

  #publish(run: RunSummary, parent: vscode.TestItem): void {
    const request = new vscode.TestRunRequest([parent], undefined, undefined, false);
    const published = this.#controller.createTestRun(request, `${run.model} for ${run.soc}`, true);
    for (const stage of run.stages) {
      const item = parent.children.get(`${parent.id}#${stage.name}`);
      if (!item) continue;
      const took = (stage.seconds ?? 0) * 1000;
      if (stage.ok) published.passed(item, took);
      else published.failed(item, new vscode.TestMessage(stage.gate || run.message || "the gate was not passed"), took);
    }
    published.end();
  }

  dispose(): void {
    this.#controller.dispose();
  }
}
