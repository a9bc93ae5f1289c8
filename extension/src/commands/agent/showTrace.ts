import * as vscode from "vscode";
import type { Command } from "../../host.ts";

interface TraceSummary {
  trace: string;
  model: string;
  goal: string;
  stopped: string;
  page: string;
}

/** Every prompt, reply, patch and verdict of a run of the agent, as one page. */
export const showTrace: Command = {
  id: "aipc.agent.showTrace",
  async run(host, argument) {
    const page = typeof argument === "string" ? `${argument}/trace.md` : await pick(host);
    if (page) await vscode.commands.executeCommand("markdown.showPreview", vscode.Uri.file(page));
  },
};

async function pick(host: Parameters<Command["run"]>[0]): Promise<string | undefined> {
  const uri = vscode.window.activeTextEditor?.document.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const found = uri && (await host.server.ask<TraceSummary[]>("agent.runs", { uri: uri.toString() }));
  if (!found || found.length === 0) {
    void vscode.window.showInformationMessage("The agent has not run in this project yet.");
    return undefined;
  }
  const items = found.map((item) => ({ label: item.model, description: `${item.goal}: ${item.stopped}`, item }));
  const picked = await vscode.window.showQuickPick(items, { title: "Runs of the agent", matchOnDescription: true });
  return picked?.item.page;
}
