/** With the setting on ``idle``, a pause in typing starts a check of the unsaved text. */

import * as vscode from "vscode";
import type { Server } from "./server.ts";

export class IdleChecks implements vscode.Disposable {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #listeners: vscode.Disposable[];

  constructor(server: Server) {
    this.#listeners = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document.languageId !== "python" || contentChanges.length === 0) return;
        const settings = vscode.workspace.getConfiguration("aipc", document.uri);
        if (settings.get("check.trigger") !== "idle") return;
        const uri = document.uri.toString();
        clearTimeout(this.#timers.get(uri));
        const wait = 1000 * settings.get("check.idleSeconds", 1.5);
        this.#timers.set(
          uri,
          setTimeout(() => void server.ask("checkText", { uri }), wait),
        );
      }),
    ];
  }

  dispose(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#listeners.forEach((item) => void item.dispose());
  }
}
