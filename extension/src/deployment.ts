/** One deployment: progress with the stages' names, a cancel button, and what came of it. */

import * as vscode from "vscode";
import { agreesToSetUp, compileFor, helpFor, openTerminal } from "./consent.ts";
import type { Host } from "./host.ts";
import { reveal } from "./places.ts";
import { askWithProgress } from "./progress.ts";
import type { DeployArguments, DeployReport, ServerError } from "./protocol.ts";
import { isError, sentence } from "./serverError.ts";
import { counted, decibels, failedGate, passedWhere, seconds } from "./text.ts";
import { showReport } from "./views/reportPanel.ts";

const KEY = "aipc.deploying";

/** Runs that a reload of the window cut short are remembered, and go on where they were when it is back. */
export class Deployments {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async deploy(args: DeployArguments, resumed = false): Promise<void> {
    await vscode.workspace.saveAll(false);
    await this.#remember(args);
    const title = `${resumed ? "Resuming" : "Deploying"} ${shortName(args.model)}`;
    const refresh = setInterval(() => this.#host.refreshRuns(), 2_000);
    const answer = await askWithProgress<DeployReport | ServerError>(this.#host, title, "deploy", args);
    clearInterval(refresh);
    await this.#forget(args);
    this.#host.refreshRuns();
    this.#host.refreshPackages();
    if (!answer) return;
    if (isError(answer)) await this.#refused(answer, args);
    else if (answer.ok) await this.#passed(answer, args);
    else await this.#failed(answer);
  }

  async resume(): Promise<void> {
    const waiting = this.#host.context.workspaceState.get<DeployArguments[]>(KEY, []);
    if (waiting.length === 0 || !vscode.workspace.isTrusted) return;
    await this.#host.context.workspaceState.update(KEY, []);
    await Promise.all(waiting.map((args) => this.deploy(args, true)));
  }

  async #passed(report: DeployReport, args: DeployArguments): Promise<void> {
    const worst = report.accuracy?.outputs?.[0]?.sqnr_db;
    const nodes = report.placement ? `, ${counted(report.placement.npu ?? 0, "node")} on the NPU` : "";
    const accuracy = worst === undefined ? "" : `, ${decibels(worst)} against PyTorch`;
    const open = "Open Report";
    const graph = "Show Graph";
    const show = "Reveal Package";
    const latency = latencyText(report.latency);
    const taken = report.frontier?.chosen
      ? ` as ${report.frontier.chosen}, taken of ${report.frontier.tried.length} tried`
      : "";
    const answer = await vscode.window.showInformationMessage(
      `${report.model} ${passedWhere(report)}${latency}${taken}${nodes}${accuracy}, after ${seconds(report.timings["total"] ?? 0)}.`,
      open,
      graph,
      show,
    );
    if (answer === open && report.run) await showReport(`${report.run}/report.html`, `${report.model} · ${report.soc}`);
    if (answer === graph) await this.#host.showGraph(args.model, args.uri);
    if (answer === show) await vscode.commands.executeCommand("aipc.revealPackage", report.package);
  }

  /** A gate that was not passed opens at the line that is responsible. */
  async #failed(report: DeployReport): Promise<void> {
    const stage = report.stages.find((item) => item.gate && !item.gate.ok);
    const finding = report.findings.find((item) => item.range);
    if (finding?.range) await reveal(finding.range);
    const open = "Open Report";
    const answer = await vscode.window.showErrorMessage(failedGate(report.model, stage, finding), open);
    if (answer === open && report.run) await showReport(`${report.run}/report.html`, `${report.model} · ${report.soc}`);
  }

  async #refused(answer: ServerError, args: DeployArguments): Promise<void> {
    if (await agreesToSetUp(answer, args.target ?? "the device")) return this.deploy({ ...args, setup: true });
    if (answer.error.kind === "SetupNeededError") return;
    if (answer.error.kind === "CancelledError") {
      void vscode.window.showInformationMessage("The deployment was cancelled.");
      return;
    }
    if (answer.error.range) await reveal(answer.error.range);
    const doctor = "Run Doctor";
    const missing = /Missing|Qairt/.test(answer.error.kind);
    const help = helpFor(answer, args.target);
    const chosen = await vscode.window.showErrorMessage(sentence(answer), ...(missing ? [doctor] : []), ...help);
    if (chosen === doctor) await vscode.commands.executeCommand("aipc.doctor");
    const { soc } = answer.error;
    if (soc && chosen === compileFor(soc)) return this.deploy({ ...args, soc });
    openTerminal(chosen, args.target);
  }

  async #remember(args: DeployArguments): Promise<void> {
    const state = this.#host.context.workspaceState;
    await state.update(KEY, [...state.get<DeployArguments[]>(KEY, []), args]);
  }

  async #forget(args: DeployArguments): Promise<void> {
    const state = this.#host.context.workspaceState;
    const same = JSON.stringify(args);
    await state.update(
      KEY,
      state.get<DeployArguments[]>(KEY, []).filter((item) => JSON.stringify(item) !== same),
    );
  }
}

export function shortName(model: string): string {
  const name = model.split(":").pop() ?? model;
  return name.split(/[/\\]/).pop() ?? name;
}

/** The NPU's latency, and beside it the CPU's where that was measured too. */
function latencyText(latency: DeployReport["latency"]): string {
  if (latency?.p50_ms === undefined) return "";
  const cpu = latency.cpu?.p50_ms === undefined ? "" : ` (${latency.cpu.p50_ms.toFixed(2)} ms on its CPU)`;
  return `, ${latency.p50_ms.toFixed(2)} ms${cpu}`;
}
