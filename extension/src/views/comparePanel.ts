/** Two runs side by side. */

import * as vscode from "vscode";
import type { DeployReport, RunSummary } from "../protocol.ts";
import { comparison } from "./comparison.ts";

export async function showComparison(first: RunSummary, second: RunSummary): Promise<void> {
  const reports = await Promise.all([first, second].map(readReport));
  const title = `${first.model} · ${first.soc} / ${second.model} · ${second.soc}`;
  const panel = vscode.window.createWebviewPanel("aipc.compare", title, vscode.ViewColumn.Active, {
    enableScripts: false,
  });
  panel.webview.html = comparison([first, second], reports);
}

async function readReport(run: RunSummary): Promise<DeployReport | undefined> {
  const file = vscode.Uri.joinPath(vscode.Uri.file(run.directory), "report.json");
  try {
    return JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(file))) as DeployReport;
  } catch {
    return undefined;
  }
}
