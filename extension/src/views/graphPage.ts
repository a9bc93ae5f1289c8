/** The page of the graph viewer: what a webview must allow for it, and its HTML. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { graphHtml } from "./graphHtml.ts";

const media = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, "extension", "media", "graph");
const netron = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, "bundled", "netron");

export const graphPage = {
  /** A file's bytes as a webview takes them: a Buffer would arrive as a list of numbers. */
  async read(file: vscode.Uri): Promise<Uint8Array> {
    return Uint8Array.from(await vscode.workspace.fs.readFile(file));
  },

  options(extension: vscode.Uri): vscode.WebviewOptions & vscode.WebviewPanelOptions {
    return {
      enableScripts: true,
      retainContextWhenHidden: true,
      localResourceRoots: [media(extension), netron(extension)],
    };
  },

  html(webview: vscode.Webview, extension: vscode.Uri): string {
    return graphHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString("base64url"),
      asUri: (path) => {
        const [first = "", ...rest] = path.split("/");
        const root = first === "netron" ? netron(extension) : vscode.Uri.joinPath(media(extension), first);
        return webview.asWebviewUri(vscode.Uri.joinPath(root, ...rest)).toString();
      },
    });
  },
};
