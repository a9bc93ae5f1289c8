import * as vscode from "vscode";
import type { Command } from "../../host.ts";
import { secretName } from "../../agent/endpoint.ts";

/** The key of the agent's endpoint, kept in the editor's secret storage: never in settings, arguments or logs. */
export const setKey: Command = {
  id: "aipc.agent.setKey",
  async run(host) {
    const baseUrl = vscode.workspace.getConfiguration("aipc.agent").get("baseUrl", "").trim();
    if (!baseUrl) {
      void vscode.window.showInformationMessage("Set aipc.agent.baseUrl first: a key belongs to one server.");
      return;
    }
    const key = await vscode.window.showInputBox({
      title: `Key for ${baseUrl}`,
      prompt: "Kept in the editor's secret storage. Empty: forget it.",
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined) return;
    if (key) await host.context.secrets.store(secretName(baseUrl), key.trim());
    else await host.context.secrets.delete(secretName(baseUrl));
    void vscode.window.showInformationMessage(key ? "The key is kept." : "The key is forgotten.");
  },
};
