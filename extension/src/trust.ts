/** In Restricted Mode no code of the workspace runs: say so, and where that is changed. */

import * as vscode from "vscode";

export function requireTrust(purpose: string): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = "Manage Workspace Trust";
  void vscode.window
    .showWarningMessage(
      `This workspace is in Restricted Mode. To ${purpose}, AIPC runs its code: trust the workspace first.`,
      manage,
    )
    .then((answer) => answer && vscode.commands.executeCommand("workbench.trust.manage"));
  return false;
}
