import * as vscode from "vscode";
import type { Command } from "../host.ts";

const NAME = "three-problems";

/** A copy of the bundled example, in the extension's own storage: the user may change it. */
export const openExample: Command = {
  id: "aipc.openExample",
  async run(host) {
    const from = vscode.Uri.joinPath(host.context.extensionUri, "bundled", "examples", NAME);
    const to = vscode.Uri.joinPath(host.context.globalStorageUri, "examples", NAME);
    const model = vscode.Uri.joinPath(to, "model.py");
    if (!(await exists(model))) await vscode.workspace.fs.copy(from, to, { overwrite: true });
    await vscode.window.showTextDocument(model);
  },
};

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
