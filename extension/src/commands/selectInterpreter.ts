import * as vscode from "vscode";
import type { Command } from "../host.ts";

export const selectInterpreter: Command = {
  id: "aipc.selectInterpreter",
  async run() {
    if (vscode.extensions.getExtension("ms-python.python")) {
      await vscode.commands.executeCommand("python.setInterpreter");
      return;
    }
    const chosen = await vscode.window.showOpenDialog({
      title: "Python that has PyTorch",
      openLabel: "Use this Python",
      canSelectMany: false,
    });
    const path = chosen?.[0]?.fsPath;
    if (!path) return;
    const where = vscode.workspace.workspaceFolders
      ? vscode.ConfigurationTarget.Workspace
      : vscode.ConfigurationTarget.Global;
    await vscode.workspace.getConfiguration("aipc").update("interpreter", path, where);
  },
};
