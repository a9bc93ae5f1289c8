import * as vscode from "vscode";
import type { Command, Host } from "../host.ts";
import type { DoctorReport, RunSummary } from "../protocol.ts";

const INSIDE = ["journal.jsonl", "report.json"];
/** What a capsule holds of the model itself; only with the user's word. */
const OF_THE_MODEL = ["model.onnx", "model.data", "inputs.npz"];

export const bugReport: Command = {
  id: "aipc.bugReport",
  async run(host) {
    const run = host.runs().find((item) => item.state === "failed" || item.state === "error");
    const without = { label: "Without the model", description: "versions, settings, logs, what each stage said" };
    const withModel = { label: "With the failing part of the model", description: "its graph and inputs too" };
    const kind = run ? await vscode.window.showQuickPick([without, withModel], { title: "Bug report" }) : without;
    if (!kind) return;
    const stamp = new Date().toISOString().replace(/[:T]/g, "-").slice(0, 19);
    const base = vscode.workspace.workspaceFolders?.[0]?.uri ?? host.context.globalStorageUri;
    const directory = vscode.Uri.joinPath(base, `aipc-bug-report-${stamp}`);
    await vscode.workspace.fs.createDirectory(directory);
    await write(directory, "versions.json", JSON.stringify(await versions(host), null, 2));
    await copyLogs(host, directory);
    if (run) await copyRun(run, directory, kind === withModel);
    const open = "Reveal";
    const answer = await vscode.window.showInformationMessage(
      `The bug report is in ${directory.fsPath}. Look through it before you send it.`,
      open,
    );
    if (answer === open) await vscode.commands.executeCommand("revealInExplorer", directory);
  },
};

async function versions(host: Host): Promise<unknown> {
  const extension = host.context.extension.packageJSON as { version: string };
  return {
    extension: extension.version,
    editor: `${vscode.env.appName} ${vscode.version}`,
    platform: `${process.platform} ${process.arch}`,
    interpreter: host.server.interpreter,
    trusted: vscode.workspace.isTrusted,
    settings: vscode.workspace.getConfiguration("aipc"),
    doctor: await host.server.ask<DoctorReport>("doctor"),
  };
}

async function copyLogs(host: Host, to: vscode.Uri): Promise<void> {
  const logs = vscode.Uri.joinPath(to, "logs");
  try {
    await vscode.workspace.fs.copy(host.context.logUri, logs, { overwrite: true });
  } catch {
    host.log.debug("there are no logs yet");
  }
}

async function copyRun(run: RunSummary, to: vscode.Uri, withModel: boolean): Promise<void> {
  const from = vscode.Uri.file(run.directory);
  for (const name of INSIDE) await copy(vscode.Uri.joinPath(from, name), vscode.Uri.joinPath(to, "run", name));
  const capsule = vscode.Uri.joinPath(from, "capsule");
  for (const [name, kind] of await list(capsule)) {
    if (!withModel && OF_THE_MODEL.includes(name)) continue;
    if (kind === vscode.FileType.File || name === "logs")
      await copy(vscode.Uri.joinPath(capsule, name), vscode.Uri.joinPath(to, "capsule", name));
  }
}

async function list(directory: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(directory);
  } catch {
    return [];
  }
}

async function copy(from: vscode.Uri, to: vscode.Uri): Promise<void> {
  try {
    await vscode.workspace.fs.copy(from, to, { overwrite: true });
  } catch {
    // A run that ended early has no report.
  }
}

async function write(directory: vscode.Uri, name: string, text: string): Promise<void> {
  await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(directory, name), new TextEncoder().encode(text));
}
