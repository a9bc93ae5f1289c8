/** The same tools for the editor's chat: the language server runs them, and a push to a device is confirmed first. */

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { ServerError } from "../protocol.ts";
import { isError, sentence } from "../serverError.ts";
import type { Server } from "../server.ts";
import { pushedTo, question, toolName, type ToolInput } from "./push.ts";

interface ToolAnswer {
  document: unknown;
  text: string;
}

class EngineTool implements vscode.LanguageModelTool<ToolInput> {
  readonly #server: Server;
  readonly #name: string;

  constructor(server: Server, name: string) {
    this.#server = server;
    this.#name = name;
  }

  prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<ToolInput>): vscode.PreparedToolInvocation {
    const subject = input.model ?? input.package ?? input.name ?? "";
    const invocationMessage = `AIPC: ${this.#name.replaceAll("_", " ")} ${subject}`.trim();
    const target = pushedTo(input);
    if (target) {
      const message = question(this.#name, input, target);
      return { invocationMessage, confirmationMessages: { title: "Use a device", message } };
    }
    if (this.#name === "fix" && input.apply) {
      const message = `Write proved edits to the source files of \`${subject}\`?`;
      return { invocationMessage, confirmationMessages: { title: "Edit the source", message } };
    }
    return { invocationMessage };
  }

  async invoke(
    { input }: vscode.LanguageModelToolInvocationOptions<ToolInput>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    if (!folder) throw new Error("There is no workspace folder: open one with the model.");
    const workDoneToken = `aipc-tool-${randomUUID()}`;
    token.onCancellationRequested(() => {
      void this.#server.client?.sendNotification("window/workDoneProgress/cancel", { token: workDoneToken });
    });
    const answer = await this.#server.ask<ToolAnswer | ServerError>("tool", {
      name: this.#name,
      arguments: input,
      folder: folder.toString(),
      // Only what prepareInvocation has asked: a device that the configuration names by itself was not.
      confirmed: pushedTo(input) !== undefined,
      workDoneToken,
    });
    if (!answer) throw new Error("AIPC's language server is not running: run AIPC: Doctor.");
    if (isError(answer)) throw new Error(sentence(answer));
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(answer.text)]);
  }
}

/** Every tool that the manifest contributes. */
export function registerTools(context: vscode.ExtensionContext, server: Server): vscode.Disposable {
  const manifest = context.extension.packageJSON as { contributes: { languageModelTools: { name: string }[] } };
  const names = manifest.contributes.languageModelTools.map((tool) => tool.name);
  return vscode.Disposable.from(
    ...names.map((name) => vscode.lm.registerTool(name, new EngineTool(server, toolName(name)))),
  );
}
