/** The graph of a model in Netron's viewer, tied to the lines of its source in both directions. */

import * as vscode from "vscode";
import type { Host } from "../host.ts";
import { reveal } from "../places.ts";
import { showProblem } from "../problems.ts";
import type { GraphAnswer, Overlay, ServerError, SourceRange } from "../protocol.ts";
import { isError } from "../serverError.ts";
import { graphPage } from "./graphPage.ts";

type FromPage =
  | { type: "ready" }
  | { type: "opened"; nodes: number; milliseconds: number }
  | { type: "select"; node: string }
  | { type: "finding"; id: string }
  | { type: "error"; message: string };

const SETTLE_MS = 80;

export class GraphPanels implements vscode.Disposable {
  readonly #panels = new Map<string, GraphPanel>();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    host.server.onResults(() => this.#panels.forEach((panel) => void panel.refresh()));
  }

  async show(model: string, uri: string, nodes: string[] = []): Promise<void> {
    let panel = this.#panels.get(model);
    if (!panel) {
      panel = new GraphPanel(this.#host, model, uri);
      this.#panels.set(model, panel);
      panel.onDispose(() => this.#panels.delete(model));
    }
    await panel.reload();
    if (nodes.length > 0) await panel.select(nodes);
  }

  dispose(): void {
    this.#panels.forEach((panel) => panel.dispose());
  }
}

class GraphPanel {
  readonly #host: Host;
  readonly #model: string;
  readonly #uri: string;
  readonly #panel: vscode.WebviewPanel;
  readonly #listeners: vscode.Disposable[] = [];
  readonly #ready: Promise<void>;
  readonly #settling = new Map<string, NodeJS.Timeout>();
  #overlay: Overlay | undefined;

  constructor(host: Host, model: string, uri: string) {
    this.#host = host;
    this.#model = model;
    this.#uri = uri;
    const name = model.split(":").pop()?.split(/[/\\]/).pop() ?? model;
    this.#panel = vscode.window.createWebviewPanel(
      "aipc.graph",
      `${name} graph`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      graphPage.options(host.context.extensionUri),
    );
    this.#ready = new Promise((resolve) => {
      this.#listeners.push(
        this.#panel.webview.onDidReceiveMessage((message: FromPage) => {
          if (message.type === "ready") resolve();
          else void this.#received(message);
        }),
      );
    });
    this.#panel.webview.html = graphPage.html(this.#panel.webview, host.context.extensionUri);
    this.#listeners.push(
      vscode.window.onDidChangeTextEditorSelection((event) => this.#selected(event)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.languageId === "python") this.#soon("overlay", () => this.refresh());
      }),
    );
    this.onDispose(() => this.#listeners.forEach((item) => void item.dispose()));
  }

  onDispose(listener: () => void): void {
    this.#panel.onDidDispose(listener);
  }

  dispose(): void {
    this.#panel.dispose();
  }

  /** Open the model's present graph. */
  async reload(): Promise<void> {
    this.#panel.reveal(undefined, true);
    const answer = await vscode.window.withProgress({ location: { viewId: "aipc.runs" } }, () =>
      this.#host.server.ask<GraphAnswer | ServerError>("graph", { model: this.#model, uri: this.#uri }),
    );
    if (!answer) return;
    if (isError(answer)) return showProblem(answer);
    this.#overlay = answer.overlay;
    const bytes = await graphPage.read(vscode.Uri.file(answer.path));
    await this.#ready;
    const name = `${answer.overlay.model}.onnx`;
    await this.#post({ type: "open", name, bytes, overlay: answer.overlay });
  }

  async select(nodes: string[]): Promise<void> {
    await this.#post({ type: "select", nodes });
  }

  /** New results: other colours, and when the graph itself is another one, that graph. */
  async refresh(): Promise<void> {
    const before = this.#overlay;
    const overlay = await this.#host.server.ask<Overlay | null>("overlay", { model: this.#model });
    if (!overlay) return;
    if (before && Object.keys(before.nodes).join() !== Object.keys(overlay.nodes).join()) return this.reload();
    this.#overlay = overlay;
    await this.#post({ type: "overlay", overlay });
  }

  async #received(message: Exclude<FromPage, { type: "ready" }>): Promise<void> {
    if (message.type === "select") await this.#revealNode(message.node);
    else if (message.type === "finding") await this.#revealFinding(message.id);
    else if (message.type === "opened")
      this.#host.log.debug(`graph: ${message.nodes} nodes in ${message.milliseconds} ms`);
    else this.#host.log.error(`graph: ${message.message}`);
  }

  async #revealNode(node: string): Promise<void> {
    const place = await this.#host.server.ask<SourceRange | null>("expressionOf", { model: this.#model, node });
    if (place) await reveal(place, true);
  }

  async #revealFinding(id: string): Promise<void> {
    const nodes = this.#overlay?.findings.find((finding) => finding.id === id)?.nodes ?? [];
    if (nodes[0]) await this.#revealNode(nodes[0]);
  }

  /** The cursor's lines select their nodes, unless the page itself moved the cursor there. */
  #selected(event: vscode.TextEditorSelectionChangeEvent): void {
    if (event.kind === undefined || event.textEditor.document.languageId !== "python") return;
    const selection = event.selections[0];
    if (!selection) return;
    const { document } = event.textEditor;
    this.#soon("selection", async () => {
      const nodes = await this.#host.server.ask<string[]>("nodesAt", {
        model: this.#model,
        uri: document.uri.toString(),
        first: selection.start.line,
        last: selection.end.line,
      });
      if (nodes?.length) await this.select(nodes);
    });
  }

  #soon(what: string, work: () => Promise<void>): void {
    clearTimeout(this.#settling.get(what));
    this.#settling.set(
      what,
      setTimeout(() => void work(), SETTLE_MS),
    );
  }

  async #post(message: unknown): Promise<void> {
    await this.#panel.webview.postMessage(message);
  }
}
