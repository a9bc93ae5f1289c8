/** Commands of one line. */

import * as vscode from "vscode";
import type { Command } from "../host.ts";

export const restartServer: Command = {
  id: "aipc.restartServer",
  run: (host) => host.server.restart(true),
};

export const showLog: Command = {
  id: "aipc.showLog",
  run: (host) => host.log.show(),
};

export const cancelChecks: Command = {
  id: "aipc.cancelChecks",
  run: (host) => host.server.ask("cancelChecks"),
};

export const refreshRuns: Command = {
  id: "aipc.refreshRuns",
  run: (host) => host.refreshRuns(),
};

export const refreshPackages: Command = {
  id: "aipc.refreshPackages",
  run: (host) => host.refreshPackages(),
};

/** The page of a rule in the reference that ships with the extension. */
export const openRule: Command = {
  id: "aipc.openRule",
  run(host, rule) {
    const page = vscode.Uri.joinPath(host.context.extensionUri, "docs", "reference", "rules.md");
    return vscode.commands.executeCommand("markdown.showPreview", page.with({ fragment: String(rule) }));
  },
};
