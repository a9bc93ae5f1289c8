/** Which model a command is about: the lens's, the file's, or one that the user picks. */

import * as vscode from "vscode";
import type { Host } from "./host.ts";
import type { ModelSite } from "./protocol.ts";

/** ``argument`` is what a lens, a menu or nothing gave to a command. */
export async function chooseModel(host: Host, argument: unknown, purpose: string): Promise<ModelSite | undefined> {
  if (isSite(argument)) return argument;
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  const file = uri ?? activeCustomEditor();
  if (!file) {
    void vscode.window.showInformationMessage(`Open a Python or ONNX file to ${purpose} its model.`);
    return undefined;
  }
  if (/\.(onnx|pt2)$/i.test(file.fsPath)) {
    const title = file.path.split("/").pop() ?? "model";
    return { model: file.fsPath, title, uri: file.toString(), line: 1, hasInputs: true, arguments: [] };
  }
  await vscode.workspace.openTextDocument(file);
  const sites = (await host.server.ask<ModelSite[]>("models", { uri: file.toString() })) ?? [];
  if (sites.length === 0) {
    const name = file.path.split("/").pop() ?? "this file";
    void vscode.window.showInformationMessage(
      `${name} has no nn.Module class and no entry in [tool.aipc.models]: write a class, or name a factory in pyproject.toml.`,
    );
    return undefined;
  }
  if (sites.length === 1) return sites[0];
  const here = vscode.window.activeTextEditor?.selection.active.line ?? 0;
  const ordered = [...sites].sort((a, b) => distance(a, here) - distance(b, here));
  const picked = await vscode.window.showQuickPick(
    ordered.map((site) => ({ label: site.title, description: `line ${site.line}`, site })),
    { title: `Which model to ${purpose}?` },
  );
  return picked?.site;
}

/** Models at or above the cursor come first, the nearest one before the others. */
function distance(site: ModelSite, line: number): number {
  const above = line + 1 - site.line;
  return above >= 0 ? above : 1_000_000 - above;
}

function activeCustomEditor(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom ? input.uri : undefined;
}

function isSite(argument: unknown): argument is ModelSite {
  return typeof argument === "object" && argument !== null && "model" in argument && "uri" in argument;
}
