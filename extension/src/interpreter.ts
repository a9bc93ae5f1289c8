/** Which Python runs the server: our setting, the Python extension's choice, or the first one on the PATH. */

import { PythonExtension } from "@vscode/python-extension";
import * as vscode from "vscode";

export interface Interpreter {
  path: string;
  from: string;
}

/** In Restricted Mode nothing of the workspace is asked: its settings and environments may name any program. */
export async function findInterpreter(resource?: vscode.Uri): Promise<Interpreter> {
  const inspected = vscode.workspace.getConfiguration("aipc", resource).inspect<string>("interpreter");
  const setting = vscode.workspace.isTrusted
    ? vscode.workspace.getConfiguration("aipc", resource).get<string>("interpreter")
    : inspected?.globalValue;
  if (setting) return { path: resolveHome(setting), from: "the setting aipc.interpreter" };
  if (vscode.workspace.isTrusted) {
    const chosen = await fromPythonExtension(resource);
    if (chosen) return { path: chosen, from: "the Python extension" };
  }
  return { path: process.platform === "win32" ? "python" : "python3", from: "the PATH" };
}

async function pythonApi(): Promise<PythonExtension | undefined> {
  if (!vscode.extensions.getExtension("ms-python.python")) return undefined;
  try {
    return await PythonExtension.api();
  } catch {
    return undefined;
  }
}

async function fromPythonExtension(resource?: vscode.Uri): Promise<string | undefined> {
  const api = await pythonApi();
  if (!api) return undefined;
  const active = api.environments.getActiveEnvironmentPath(resource);
  const environment = await api.environments.resolveEnvironment(active);
  return environment?.executable.uri?.fsPath;
}

/** Calls back when the interpreter may have changed. */
export function onInterpreterChange(changed: () => void): vscode.Disposable {
  const found: vscode.Disposable[] = [
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("aipc.interpreter")) changed();
    }),
  ];
  void pythonApi().then((api) => {
    if (api) found.push(api.environments.onDidChangeActiveEnvironmentPath(changed));
  });
  return new vscode.Disposable(() => found.forEach((item) => void item.dispose()));
}

function resolveHome(path: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const home = process.env["HOME"] ?? process.env["USERPROFILE"] ?? "";
  return path.replace(/^~(?=[/\\])/, home).replaceAll("${workspaceFolder}", folder);
}
