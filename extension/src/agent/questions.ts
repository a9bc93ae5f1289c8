/** What only the user can decide: an approximate change, with its measured error. Closing the question is a no. */

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { AgentQuestion } from "../protocol.ts";

export function serveQuestions(client: LanguageClient): vscode.Disposable {
  return client.onRequest("aipc/agent/ask", async (question: AgentQuestion): Promise<{ answer: string | null }> => {
    if (question.choices.length === 0) {
      const answer = await vscode.window.showInputBox({ title: "AIPC Agent", prompt: question.text });
      return { answer: answer ?? null };
    }
    const answer = await vscode.window.showWarningMessage(
      question.text,
      { modal: true, detail: evidence(question.evidence) },
      ...question.choices,
    );
    return { answer: answer ?? null };
  });
}

export function evidence(found: Record<string, unknown>): string {
  return Object.entries(found)
    .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${String(value)}`)
    .join("\n");
}
