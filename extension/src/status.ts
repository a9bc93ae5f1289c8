/** One status bar item (SoC and state) and the language status of Python files. */

import * as vscode from "vscode";
import { effective } from "./effective.ts";
import { inEffect } from "./text.ts";
import type { DoctorReport, Effective } from "./protocol.ts";
import { describe } from "./states.ts";
import type { Server } from "./server.ts";

export class Status implements vscode.Disposable {
  readonly #bar = vscode.window.createStatusBarItem("aipc.status", vscode.StatusBarAlignment.Left, 0);
  readonly #language = vscode.languages.createLanguageStatusItem("aipc.language", [
    { scheme: "file", language: "python" },
  ]);
  readonly #server: Server;
  readonly #listeners: vscode.Disposable[] = [];
  #checking: string[] = [];
  #missing: string[] = [];
  #effective: Effective | undefined;

  constructor(server: Server) {
    this.#server = server;
    const configuration = vscode.workspace.createFileSystemWatcher("**/pyproject.toml");
    this.#bar.name = "AIPC";
    this.#bar.command = "aipc.menu";
    this.#language.name = "AIPC";
    this.#listeners.push(
      server.onStateChange((state) => {
        this.#checking = [];
        this.#show();
        if (state === "ready") {
          void this.#examine();
          void this.#ask();
        }
      }),
      server.onChecking((models) => {
        this.#checking = models;
        this.#show();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#show()),
      vscode.window.onDidChangeActiveTextEditor(() => void this.#ask()),
      // The server hears of a setting at the same moment, so it is asked a little later.
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("aipc.soc")) setTimeout(() => void this.#ask(), 200);
      }),
      configuration,
      configuration.onDidChange(() => void this.#ask()),
      configuration.onDidCreate(() => void this.#ask()),
      configuration.onDidDelete(() => void this.#ask()),
    );
    this.#show();
    this.#bar.show();
  }

  async #examine(): Promise<void> {
    const report = await this.#server.ask<DoctorReport>("doctor");
    this.#missing = report?.items.filter((item) => item.needed && !item.ok).map((item) => item.name) ?? [];
    this.#show();
  }

  async #ask(): Promise<void> {
    this.#effective = await effective(this.#server, undefined);
    this.#show();
  }

  #show(): void {
    const soc = this.#effective?.soc;
    const view = describe(this.#server.state, {
      trusted: vscode.workspace.isTrusted,
      checking: this.#checking,
      missing: this.#missing,
      problem: this.#server.problem,
    });
    this.#bar.text = `$(${view.icon}) ${soc ? soc.value.toUpperCase() : "Snapdragon"}${view.short ? `: ${view.short}` : ""}`;
    this.#bar.tooltip = this.#effective ? `${view.text}\n${inEffect(this.#effective)}` : view.text;
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
