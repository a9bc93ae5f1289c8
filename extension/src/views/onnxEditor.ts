/** A read-only editor for ONNX files: the graph viewer, without anything of ours on it. */

import * as vscode from "vscode";
import { graphPage } from "./graphPage.ts";

const MOST_BYTES = 200 * 1024 * 1024;

class OnnxDocument implements vscode.CustomDocument {
  readonly uri: vscode.Uri;

  constructor(uri: vscode.Uri) {
    this.uri = uri;
  }

  dispose(): void {
    // Holds nothing.
  }
}

export class OnnxEditor implements vscode.CustomReadonlyEditorProvider<OnnxDocument> {
  readonly #extension: vscode.Uri;

  constructor(extension: vscode.Uri) {
    this.#extension = extension;
  }

  openCustomDocument(uri: vscode.Uri): OnnxDocument {
    return new OnnxDocument(uri);
  }

  async resolveCustomEditor(document: OnnxDocument, panel: vscode.WebviewPanel): Promise<void> {
    const name = document.uri.path.split("/").pop() ?? "model.onnx";
    const { size } = await vscode.workspace.fs.stat(document.uri);
    if (size > MOST_BYTES) {
      panel.webview.html = `<p>${name} has ${Math.round(size / 2 ** 20)} MiB, more than the viewer can hold. Check it (AIPC: Check Model), then show its graph.</p>`;
      return;
    }
    panel.webview.options = graphPage.options(this.#extension);
    panel.webview.onDidReceiveMessage(async (message: { type: string }) => {
      if (message.type !== "ready") return;
      const bytes = await graphPage.read(document.uri);
      await panel.webview.postMessage({ type: "open", name, bytes, overlay: null });
    });
    panel.webview.html = graphPage.html(panel.webview, this.#extension);
  }
}
