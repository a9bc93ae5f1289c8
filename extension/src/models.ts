/** Which model a command is about: the lens's, the file's, or one that the user picks or types. */

import * as vscode from "vscode";
import type { Host } from "./host.ts";
import type { ModelSite, ServerError } from "./protocol.ts";
import { isError } from "./serverError.ts";
import { showNoServer, showProblem } from "./problems.ts";
import { splitReference } from "./references.ts";
import { writeFactory } from "./commands/writeFactory.ts";

/** ``argument`` is what a lens, a menu or nothing gave to a command. */
export async function chooseModel(host: Host, argument: unknown, purpose: string): Promise<ModelSite | undefined> {
  if (isSite(argument)) return argument;
  const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
  const file = uri ?? activeCustomEditor();
  return file && /\.(py|ipynb|onnx|pt2)$/i.test(file.path) ? modelOf(host, file, purpose) : typedModel(host, purpose);
}

async function modelOf(host: Host, file: vscode.Uri, purpose: string): Promise<ModelSite | undefined> {
  if (/\.(onnx|pt2)$/i.test(file.fsPath)) return { ...siteAt(file), model: file.fsPath, hasInputs: true };
  await vscode.workspace.openTextDocument(file);
  const found = await host.server.ask<ModelSite[] | ServerError>("models", { uri: file.toString() });
  if (!found || isError(found)) {
    await (found ? showProblem(found) : showNoServer(host));
    return undefined;
  }
  const sites = found.filter((site) => !site.needs?.length);
  if (sites.length === 0) return withoutModel(host, file, found, purpose);
  if (sites.length === 1) return sites[0];
  const here = vscode.window.activeTextEditor?.selection.active.line ?? 0;
  const ordered = [...sites].sort((a, b) => distance(a, here) - distance(b, here));
  const items: (vscode.QuickPickItem & { site?: ModelSite })[] = ordered.map((site) => ({
    label: site.title,
    description: `line ${site.line}`,
    site,
  }));
  const other: (typeof items)[number] = { label: "$(edit) Type file.py:Name…" };
  const picked = await vscode.window.showQuickPick([...items, other], { title: `Which model to ${purpose}?` });
  return picked === other ? typedModel(host, purpose, file) : picked?.site;
}

/** A file in which no model can be built by its name: what it has instead, and the way on. */
async function withoutModel(
  host: Host,
  file: vscode.Uri,
  found: ModelSite[],
  purpose: string,
): Promise<ModelSite | undefined> {
  const name = file.path.split("/").pop() ?? "this file";
  const type = "Type file.py:Name";
  const factory = "Write a Factory";
  const first = found[0];
  const text = first
    ? `${first.title} in ${name} needs the arguments ${(first.needs ?? []).join(", ")}. Write a function that builds it.`
    : `${name} declares no model: no nn.Module class, no function that returns one, no instance.`;
  const answer = await vscode.window.showInformationMessage(text, ...(first ? [factory, type] : [type]));
  if (answer === factory && first) await writeFactory.run(host, first);
  return answer === type ? typedModel(host, purpose, file) : undefined;
}

/** What the user types: ``file.py:Name``, relative to the workspace, or a file of which the model is then chosen. */
async function typedModel(host: Host, purpose: string, near?: vscode.Uri): Promise<ModelSite | undefined> {
  const folder = (near && vscode.workspace.getWorkspaceFolder(near)) ?? vscode.workspace.workspaceFolders?.[0];
  const base = folder?.uri ?? (near && vscode.Uri.joinPath(near, ".."));
  const text = await vscode.window.showInputBox({
    title: `Which model to ${purpose}?`,
    prompt: `file.py:Name, a .onnx or a .pt2 file${base ? `, relative to ${base.fsPath}` : ""}`,
    value: near && base ? `${vscode.workspace.asRelativePath(near, false)}:` : "",
    valueSelection: undefined,
    ignoreFocusOut: true,
  });
  const reference = text && splitReference(text);
  if (!reference) return undefined;
  const absolute = /^([/\\]|[A-Za-z]:)/.test(reference.file);
  const file = absolute || !base ? vscode.Uri.file(reference.file) : vscode.Uri.joinPath(base, reference.file);
  try {
    await vscode.workspace.fs.stat(file);
  } catch {
    void vscode.window.showErrorMessage(`There is no file ${file.fsPath}. Check the path.`);
    return undefined;
  }
  if (!reference.name) return modelOf(host, file, purpose);
  const answer = await host.server.ask<ModelSite[] | ServerError>("models", { uri: file.toString() });
  if (!answer || isError(answer)) {
    await (answer ? showProblem(answer) : showNoServer(host));
    return undefined;
  }
  const model = `${file.fsPath}:${reference.name}`;
  return answer.find((site) => site.model === model) ?? { ...siteAt(file), model, title: reference.name };
}

function siteAt(file: vscode.Uri): ModelSite {
  const title = file.path.split("/").pop() ?? "model";
  return { model: "", title, uri: file.toString(), line: 1, hasInputs: false, arguments: [] };
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
