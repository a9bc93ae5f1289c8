// What an agent of the editor sees of AIPC: its tools; and a language model that plays a script, without any key.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";

const folder = () => vscode.workspace.workspaceFolders[0].uri.fsPath;
const note = (name, value) => writeFileSync(join(folder(), name), JSON.stringify(value, undefined, 2));

async function call(name, input) {
  try {
    const result = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
    return { text: result.content.map((part) => part.value).join("") };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
}

const model = {
  id: "scripted",
  name: "Scripted",
  family: "scripted",
  version: "1",
  maxInputTokens: 100_000,
  maxOutputTokens: 8_000,
  capabilities: { toolCalling: true },
};

export function activate(context) {
  let asked = 0;
  context.subscriptions.push(
    vscode.commands.registerCommand("probe.tools", async () => {
      const tools = vscode.lm.tools.filter((tool) => tool.name.startsWith("aipc_"));
      const answers = {};
      for (const [name, input] of [
        ["aipc_ops", { name: "einsum", socs: ["sm8650"] }],
        ["aipc_check", { model: "small" }],
        ["aipc_check", { model: "../outside.py:Model" }],
        ["aipc_targets", {}],
      ])
        answers[`${name} ${JSON.stringify(input)}`] = await call(name, input);
      note("tools.json", { tools, answers });
    }),
    vscode.commands.registerCommand("probe.push", async () => {
      note("push.json", await call("aipc_deploy", { model: "small", target: "ssh:nowhere.invalid" }));
    }),
    vscode.lm.registerLanguageModelChatProvider("probe", {
      provideLanguageModelChatInformation: () => [model],
      provideTokenCount: (_, text) => JSON.stringify(text).length >> 2,
      provideLanguageModelChatResponse(_model, messages, options, progress) {
        const script = JSON.parse(readFileSync(join(folder(), "script.json"), "utf8"));
        const entry = script[asked];
        asked += 1;
        note(`asked-${asked}.json`, { messages, tools: options.tools });
        progress.report(new vscode.LanguageModelToolCallPart(`call-${asked}`, entry.name, JSON.parse(entry.arguments)));
      },
    }),
  );
}
