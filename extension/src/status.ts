/** One status bar item (SoC and state) and the language status of Python files. */

import * as vscode from "vscode";
import type { DoctorReport } from "./protocol.ts";
import type { Server, ServerState } from "./server.ts";

export class Status implements vscode.Disposable {
  readonly #bar = vscode.window.createStatusBarItem("aipc.status", vscode.StatusBarAlignment.Left, 0);
  readonly #language = vscode.languages.createLanguageStatusItem("aipc.language", [
    { scheme: "file", language: "python" },
  ]);
  readonly #server: Server;
  readonly #listeners: vscode.Disposable[] = [];
  #checking: string[] = [];
  #missing: string[] = [];

  constructor(server: Server) {
    this.#server = server;
    this.#bar.name = "AIPC";
    this.#bar.command = "aipc.menu";
    this.#language.name = "AIPC";
    this.#listeners.push(
      server.onStateChange((state) => {
        this.#checking = [];
        this.#show();
        if (state === "ready") void this.#examine();
      }),
      server.onChecking((models) => {
        this.#checking = models;
        this.#show();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("aipc.soc") && this.#show()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#show()),
    );
    this.#show();
    this.#bar.show();
  }

  async #examine(): Promise<void> {
    const report = await this.#server.ask<DoctorReport>("doctor");
    this.#missing = report?.items.filter((item) => item.needed && !item.ok).map((item) => item.name) ?? [];
    this.#show();
  }

  #show(): void {
    const soc = vscode.workspace.getConfiguration("aipc").get<string>("soc");
    const view = describe(this.#server.state, {
      trusted: vscode.workspace.isTrusted,
      checking: this.#checking,
      missing: this.#missing,
      problem: this.#server.problem,
    });
    this.#bar.text = `$(${view.icon}) ${soc ? soc.toUpperCase() : "Snapdragon"}${view.short ? `: ${view.short}` : ""}`;
    this.#bar.tooltip = view.text;
    this.#bar.backgroundColor = view.bad ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.#language.text = `AIPC: ${view.short || "ready"}`;
    this.#language.detail = view.text;
    this.#language.busy = view.icon.endsWith("~spin");
    this.#language.severity = view.bad
      ? vscode.LanguageStatusSeverity.Warning
      : vscode.LanguageStatusSeverity.Information;
    this.#language.command = view.bad
      ? { title: "Doctor", command: "aipc.doctor" }
      : { title: "Menu", command: "aipc.menu" };
  }

  dispose(): void {
    this.#listeners.forEach((item) => void item.dispose());
    this.#bar.dispose();
    this.#language.dispose();
  }
}

interface Facts {
  trusted: boolean;
  checking: readonly string[];
  missing: readonly string[];
  problem: string;
}

/** What is said of a state: an icon, a word for the status bar, and a sentence. */
export function describe(
  state: ServerState,
  { trusted, checking, missing, problem }: Facts,
): { icon: string; short: string; text: string; bad: boolean } {
  if (state === "no-python") return { icon: "warning", short: "no Python", text: problem, bad: true };
  if (state === "starting")
    return { icon: "loading~spin", short: "starting", text: "The language server is starting.", bad: false };
  if (state === "stopped") {
    return { icon: "warning", short: "stopped", text: problem || "The language server is not running.", bad: true };
  }
  if (!trusted) {
    const text =
      "Restricted Mode: checking and deploying run the model's code and are off until the workspace is trusted.";
    return { icon: "workspace-untrusted", short: "restricted", text, bad: false };
  }
  if (missing.length > 0) {
    const text = `This interpreter lacks ${missing.join(", ")}: Doctor installs what is missing when you agree.`;
    return { icon: "warning", short: missing.includes("QAIRT") ? "no QAIRT here" : "incomplete", text, bad: true };
  }
  if (checking.length > 0) {
    const names = checking.map((name) => name.split(":").pop()).join(", ");
    return { icon: "sync~spin", short: "checking", text: `Checking ${names}.`, bad: false };
  }
  return { icon: "chip", short: "", text: "Ready: models are checked by Qualcomm's compiler.", bad: false };
}
