/** Between the server's messages and those of the editor's language models. */

import * as vscode from "vscode";
import type { LlmAnswer, LlmCall, LlmMessage, LlmRequest } from "../protocol.ts";

/** The editor knows no system message: what it would say comes first, as the user's. */
export function chatMessages(messages: readonly LlmMessage[]): vscode.LanguageModelChatMessage[] {
  return messages.map((message) => {
    if (message.role === "assistant") {
      const calls = message.calls.map(
        (call) => new vscode.LanguageModelToolCallPart(call.id, call.name, parsed(call.arguments)),
      );
      const text = message.content ? [new vscode.LanguageModelTextPart(message.content)] : [];
      return vscode.LanguageModelChatMessage.Assistant([...text, ...calls]);
    }
    if (message.role === "tool") {
      const answer = new vscode.LanguageModelTextPart(message.content);
      return vscode.LanguageModelChatMessage.User([new vscode.LanguageModelToolResultPart(message.call_id, [answer])]);
    }
    return vscode.LanguageModelChatMessage.User(message.content);
  });
}

/** What a model wrote need not be JSON; then the call carries it as it is. */
function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : { value };
  } catch {
    return { text };
  }
}

/** Ask one model, and count what the request and the reply have, by the model's own measure. */
export async function complete(
  model: vscode.LanguageModelChat,
  request: LlmRequest,
  token: vscode.CancellationToken,
): Promise<LlmAnswer> {
  const messages = chatMessages(request.messages);
  const tools = request.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    inputSchema: tool.parameters,
  }));
  const options: vscode.LanguageModelChatRequestOptions = {
    justification: "AIPC's agent proposes a rewrite of the model; the compiler and the simulator judge it.",
    modelOptions: { max_tokens: request.maxTokens },
    ...(tools.length > 0 ? { tools } : {}),
  };
  const response = await model.sendRequest(messages, options, token);
  let text = "";
  const calls: LlmCall[] = [];
  for await (const part of response.stream) {
    if (part instanceof vscode.LanguageModelTextPart) text += part.value;
    else if (part instanceof vscode.LanguageModelToolCallPart)
      calls.push({ id: part.callId, name: part.name, arguments: JSON.stringify(part.input) });
  }
  return {
    text,
    calls,
    finish: "stop",
    prompt: await count(model, [...messages, JSON.stringify(tools)]),
    completion: await count(model, [text, JSON.stringify(calls)]),
    model: `${model.vendor} ${model.name}`,
  };
}

async function count(
  model: vscode.LanguageModelChat,
  items: readonly (vscode.LanguageModelChatMessage | string)[],
): Promise<number | null> {
  try {
    const counts = await Promise.all(items.filter((item) => item !== "[]").map((item) => model.countTokens(item)));
    return counts.reduce((sum, value) => sum + value, 0);
  } catch {
    return null;
  }
}
