/** The server's ``aipc/llm``: the editor's language models, so that a user with a subscription needs no key. */

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { complete } from "./chat.ts";
import { editorModels } from "./endpoint.ts";
import type { LlmAnswer, LlmRequest } from "../protocol.ts";

/** Answer the server's requests for as long as this client lives. */
export function serveModels(client: LanguageClient, log: vscode.LogOutputChannel): vscode.Disposable {
  const running = new Map<string, vscode.CancellationTokenSource>();
  return vscode.Disposable.from(
    client.onRequest("aipc/llm", async (request: LlmRequest): Promise<LlmAnswer> => {
      const source = new vscode.CancellationTokenSource();
      running.set(request.id, source);
      try {
        const [model] = await editorModels();
        if (!model) return { error: { kind: "no-model", message: "the editor has no language model" } };
        return await complete(model, request, source.token);
      } catch (error) {
        log.warn(`the editor's language model did not answer: ${String(error)}`);
        return { error: { kind: kindOf(error), message: messageOf(error) } };
      } finally {
        running.delete(request.id);
        source.dispose();
      }
    }),
    client.onNotification("aipc/llmCancel", ({ id }: { id: string }) => running.get(id)?.cancel()),
  );
}

function kindOf(error: unknown): "no-model" | "denied" | "quota" | "failed" {
  if (!(error instanceof vscode.LanguageModelError)) return "failed";
  if (error.code === vscode.LanguageModelError.NotFound.name) return "no-model";
  if (error.code === vscode.LanguageModelError.NoPermissions.name) return "denied";
  return error.code === vscode.LanguageModelError.Blocked.name ? "quota" : "failed";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
