/** One run of the agent: live progress with tokens and cost, a cancel button, and its result as a preview. */

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { type WorkspaceEdit as ProtocolEdit, WorkDoneProgress } from "vscode-languageclient/node";
import type { Host } from "../host.ts";
import type { ServerError } from "../protocol.ts";
import { isError, sentence } from "../serverError.ts";
import { requireTrust } from "../trust.ts";
import { budget, chosenEndpoint } from "./endpoint.ts";
import type { AgentAnswer, AgentGoal, AgentStart } from "../protocol.ts";
import { figures, outcome, proposed } from "./messages.ts";

/** Let the agent work on a model; nothing of the user's changes before the preview is accepted. */
export async function runAgent(host: Host, model: string, uri: string, goal: AgentGoal): Promise<void> {
  if (!requireTrust("let the agent work")) return;
  const endpoint = await chosenEndpoint(host.context);
  if (!endpoint) return;
  const id = randomUUID();
  const start: AgentStart = { id, model, uri, goal, budget: budget(), endpoint, workDoneToken: `aipc-agent-${id}` };
  const answer = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: `Agent on ${model.split(":").pop() ?? model}`,
      cancellable: true,
    },
    (progress, token) => ask(host, start, progress, token),
  );
  if (!answer) return;
  if (isError(answer)) {
    if (answer.error.kind !== "CancelledError") void vscode.window.showErrorMessage(sentence(answer));
    return;
  }
  await show(host, answer);
}

async function ask(
  host: Host,
  start: AgentStart,
  progress: vscode.Progress<{ message?: string }>,
  cancelled: vscode.CancellationToken,
): Promise<AgentAnswer | ServerError | undefined> {
  const { client } = host.server;
  if (!client) return undefined;
  const listener = client.onProgress(WorkDoneProgress.type, start.workDoneToken, (value) => {
    if ("message" in value && value.message) progress.report({ message: value.message.replace(/^agent: /, "") });
  });
  cancelled.onCancellationRequested(() => void host.server.ask("agent.cancel", { id: start.id }));
  try {
    return await host.server.ask<AgentAnswer | ServerError>("agent.start", start);
  } catch (error) {
    host.log.warn(`the agent was cut short: ${String(error)}`);
    return undefined;
  } finally {
    listener.dispose();
  }
}

/** A result with edits opens the refactor preview; accepting it is one undo step, closing it changes nothing. */
async function show(host: Host, { report, edit }: AgentAnswer): Promise<void> {
  host.log.info(`agent on ${report.model}: ${report.stopped}; ${outcome(report)} ${report.trace}`);
  if (report.stopped === "cancelled") {
    void vscode.window.showInformationMessage("The agent was cancelled. Nothing was changed.");
    return;
  }
  const changes = edit
    ? await host.server.client?.protocol2CodeConverter.asWorkspaceEdit(edit as ProtocolEdit)
    : undefined;
  if (!changes || changes.size === 0) {
    await say(report.ok, outcome(report), report.trace);
    return;
  }
  const files = changes.entries().map(([uri]) => uri);
  const before = await Promise.all(files.map(textOf));
  // The preview groups by file and then shows no annotation: the proof is told beside it.
  const proof = figures(report.soc, report.proof);
  void say(report.ok, `${proposed(report)} ${proof}. Tick it in the refactor preview to take it.`, report.trace);
  await vscode.workspace.applyEdit(changes, { isRefactoring: true });
  const now = await Promise.all(files.map(textOf));
  const accepted = files.filter((_, index) => now[index] !== before[index]);
  if (accepted.length === 0) {
    await say(true, "The agent's change was not taken. Nothing was changed.", report.trace);
    return;
  }
  // The compiler has the last word, on the text as it is now.
  for (const uri of accepted) void host.server.ask("checkText", { uri: uri.toString() });
  await say(report.ok, `Applied: ${outcome(report)}`, report.trace);
}

/** As the editor has it, opened or not: a preview opens what it shows. */
async function textOf(uri: vscode.Uri): Promise<string> {
  return (await vscode.workspace.openTextDocument(uri)).getText();
}

async function say(ok: boolean, message: string, trace: string): Promise<void> {
  const open = "Show Trace";
  const tell = ok ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  const answer = await tell(message, ...(trace ? [open] : []));
  if (answer === open) await vscode.commands.executeCommand("aipc.agent.showTrace", trace);
}
