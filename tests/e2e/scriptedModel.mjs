// An OpenAI-compatible server on loopback that plays a script: one entry for each request, streamed.

import { createServer } from "node:http";

/** An entry of a script: the model calls a tool. */
export function calls(name, args) {
  return { name, arguments: JSON.stringify(args) };
}

export class ScriptedModel {
  requests = [];
  /** Requests whose connection the client closed before the reply. */
  abandoned = 0;
  #script = [];
  #server = createServer((request, response) => void this.#answer(request, response));

  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  /** What is answered from now on. ``"silence"`` is an answer that never comes. */
  play(...script) {
    this.#script = script;
    this.requests = [];
    this.abandoned = 0;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request, response) {
    let body = "";
    for await (const part of request) body += part;
    this.requests.push({ body: JSON.parse(body), authorization: request.headers.authorization ?? "" });
    const entry = this.#script.shift();
    if (entry === "silence") {
      response.on("close", () => (this.abandoned += 1));
      return;
    }
    if (!entry) {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "the script has ended" } }));
      return;
    }
    // Long enough that what is shown meanwhile can be seen.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    response.writeHead(200, { "content-type": "text/event-stream" });
    const id = `call-${this.requests.length}`;
    const call = { index: 0, id, type: "function", function: { name: entry.name, arguments: "" } };
    chunk(response, { role: "assistant", tool_calls: [call] });
    for (let at = 0; at < entry.arguments.length; at += 40)
      chunk(response, { tool_calls: [{ index: 0, function: { arguments: entry.arguments.slice(at, at + 40) } }] });
    chunk(response, {}, "tool_calls");
    const usage = { prompt_tokens: Math.ceil(body.length / 4), completion_tokens: 60 };
    write(response, { choices: [], usage: { ...usage, total_tokens: usage.prompt_tokens + 60 } });
    response.end("data: [DONE]\n\n");
  }
}

function chunk(response, delta, finish = null) {
  write(response, { choices: [{ index: 0, delta, finish_reason: finish }] });
}

function write(response, data) {
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "scripted" };
  response.write(`data: ${JSON.stringify({ ...head, ...data })}\n\n`);
}
