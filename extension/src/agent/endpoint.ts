/** Which language model the agent asks, what it may spend, and the key, which stays in the secret storage. */

import * as vscode from "vscode";
import type { AgentBudget, AgentEndpoint } from "../protocol.ts";

/** The key belongs to one server: another base URL never gets it. */
export function secretName(baseUrl: string): string {
  return `aipc.agent.key:${baseUrl.replace(/\/+$/, "").toLowerCase()}`;
}

/** The endpoint of the settings; undefined when something is missing, which has then been said. */
export async function chosenEndpoint(context: vscode.ExtensionContext): Promise<AgentEndpoint | undefined> {
  const settings = vscode.workspace.getConfiguration("aipc.agent");
  if (settings.get("endpoint") === "openai") {
    const baseUrl = settings.get("baseUrl", "").trim();
    const model = settings.get("model", "").trim();
    if (!baseUrl || !model) {
      await complain("The agent needs a base URL and a model: set aipc.agent.baseUrl and aipc.agent.model.");
      return undefined;
    }
    return { kind: "openai", baseUrl, model, key: (await context.secrets.get(secretName(baseUrl))) ?? "" };
  }
  const [model] = await editorModels();
  if (!model) {
    await complain(
      "This editor has no language model for the agent: sign in to one, or set aipc.agent.endpoint to openai.",
    );
    return undefined;
  }
  return { kind: "editor", title: `${model.vendor} ${model.name}`, nativeTools: true };
}

/** The editor's language models that the settings allow, the wanted one first. */
export async function editorModels(): Promise<vscode.LanguageModelChat[]> {
  const wanted = vscode.workspace.getConfiguration("aipc.agent").get("editorModel", "").trim();
  const found = await vscode.lm.selectChatModels();
  if (!wanted) return found;
  return found.filter((item) => [item.id, item.family, item.name].includes(wanted));
}

export function budget(): AgentBudget {
  const settings = vscode.workspace.getConfiguration("aipc.agent");
  const positive = (name: string): number | undefined => {
    const value = settings.get<number>(name) ?? 0;
    return value > 0 ? value : undefined;
  };
  return {
    tokens: positive("budget.tokens"),
    seconds: positive("budget.seconds"),
    rounds: positive("budget.rounds"),
    cost: positive("budget.cost"),
    input_price: positive("inputPrice"),
    output_price: positive("outputPrice"),
  };
}

async function complain(message: string): Promise<void> {
  const open = "Open Settings";
  const answer = await vscode.window.showErrorMessage(message, open);
  if (answer === open) await vscode.commands.executeCommand("workbench.action.openSettings", "aipc.agent");
}
