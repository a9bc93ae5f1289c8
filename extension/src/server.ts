/** The language server's process: started, restarted when its interpreter changes, and asked. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  type ServerOptions,
  State,
  TransportKind,
} from "vscode-languageclient/node";
import type { ServerState } from "./states.ts";
import { serveModels } from "./agent/bridge.ts";
import { serveQuestions } from "./agent/questions.ts";
import { findInterpreter, type Interpreter } from "./interpreter.ts";

const run = promisify(execFile);
const LEAST_PYTHON = [3, 10];

/** Starts, stops and restarts are queued: the last wish wins, and no two servers live at once. */
export class Server implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<ServerState>();
  readonly onStateChange = this.#changed.event;
  readonly #results = new vscode.EventEmitter<void>();
  readonly onResults = this.#results.event;
  readonly #checking = new vscode.EventEmitter<string[]>();
  readonly onChecking = this.#checking.event;
  state: ServerState = "stopped";
  problem = "";
  interpreter: Interpreter | undefined;
  client: LanguageClient | undefined;
  #queue: Promise<void> = Promise.resolve();
  readonly #context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.#context = context;
    this.log = log;
  }

  /** Start, or start again when ``force`` is given or the interpreter is another one than before. */
  restart(force = false): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const found = await findInterpreter(vscode.window.activeTextEditor?.document.uri);
      if (!force && this.client && found.path === this.interpreter?.path) return;
      await this.#stop();
      await this.#start(found);
    });
    return this.#queue;
  }

  async #start(interpreter: Interpreter): Promise<void> {
    this.interpreter = interpreter;
    this.#set("starting");
    const problem = await this.#unfit(interpreter);
    if (problem) {
      this.problem = problem;
      this.log.error(problem);
      this.#set("no-python");
      return;
    }
    this.problem = "";
    const client = new LanguageClient("aipc", "AIPC", this.#serverOptions(interpreter), this.#clientOptions());
    client.onDidChangeState(({ newState }) => {
      if (client !== this.client) return;
      if (newState === State.Running) this.#set("ready");
      if (newState === State.Starting) this.#set("starting");
      if (newState === State.Stopped) this.#set("stopped");
    });
    client.onNotification("aipc/results", () => this.#results.fire());
    client.onNotification("aipc/checking", ({ models }: { models: string[] }) => this.#checking.fire(models));
    // They go with the client.
    serveModels(client, this.log);
    serveQuestions(client);
    this.client = client;
    this.log.info(`starting the language server with ${interpreter.path} (from ${interpreter.from})`);
    try {
      await client.start();
    } catch (error) {
      this.problem = `The language server does not start with ${interpreter.path}: see the log.`;
      this.log.error(`${this.problem} ${String(error)}`);
      this.#set("stopped");
    }
  }

  /** Why this interpreter cannot run the server, in one sentence; empty when it can. */
  async #unfit({ path, from }: Interpreter): Promise<string> {
    try {
      const { stdout } = await run(path, ["-I", "-c", "import sys; print(*sys.version_info[:2])"], { timeout: 20_000 });
      const [major = 0, minor = 0] = stdout.trim().split(" ").map(Number);
      const [least = 3, leastMinor = 10] = LEAST_PYTHON;
      if (major > least || (major === least && minor >= leastMinor)) return "";
      return `${path} (from ${from}) is Python ${major}.${minor}; AIPC needs ${LEAST_PYTHON.join(".")} or newer.`;
    } catch (error) {
      this.log.debug(String(error));
      return `There is no Python at ${path} (from ${from}): select an interpreter that has PyTorch.`;
    }
  }

  #serverOptions(interpreter: Interpreter): ServerOptions {
    const script = vscode.Uri.joinPath(this.#context.extensionUri, "bundled", "start.py").fsPath;
    return {
      command: interpreter.path,
      args: [script],
      transport: TransportKind.stdio,
      options: { cwd: this.#context.extensionUri.fsPath, env: { ...process.env, PYTHONUNBUFFERED: "1" } },
    };
  }

  #clientOptions(): LanguageClientOptions {
    return {
      documentSelector: [
        { scheme: "file", language: "python" },
        { scheme: "vscode-notebook-cell", language: "python" },
        { scheme: "file", pattern: "**/pyproject.toml" },
      ],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: {
        settings: vscode.workspace.getConfiguration("aipc"),
        trusted: vscode.workspace.isTrusted,
        agent: true,
        rulePage: "command:aipc.openRule?%5B%22{rule}%22%5D",
      },
      synchronize: { configurationSection: "aipc" },
      diagnosticPullOptions: { onChange: true, onSave: true, onTabs: true },
      middleware: {
        // The server's commands are ours to call, not the palette's.
        executeCommand: (command, args, next) => next(command, args) as vscode.ProviderResult<unknown>,
      },
    };
  }

  /** Ask the server; ``undefined`` when it is not running. */
  async ask<T>(command: string, ...args: unknown[]): Promise<T | undefined> {
    await this.#queue;
    if (this.state !== "ready" || !this.client) return undefined;
    return (await this.client.sendRequest(ExecuteCommandRequest.type, {
      command: `aipc.server.${command}`,
      arguments: args,
    })) as T;
  }

  tell(method: string, parameters: unknown): void {
    if (this.state === "ready") void this.client?.sendNotification(method, parameters);
  }

  async #stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (!client) return;
    try {
      await client.dispose(5_000);
    } catch (error) {
      this.log.warn(`the language server did not stop in time: ${String(error)}`);
    }
  }

  #set(state: ServerState): void {
    this.state = state;
    this.#changed.fire(state);
  }

  async stop(): Promise<void> {
    await this.#queue.catch(() => undefined);
    await this.#stop();
  }

  dispose(): void {
    void this.stop();
  }
}
