import * as vscode from "vscode";
import type { Command } from "../host.ts";
import type { ModelSite } from "../protocol.ts";
import { factoryName } from "../references.ts";

/** A function at the end of the file that builds a model, its arguments to be filled in: then it can be checked. */
export const writeFactory: Command = {
  id: "aipc.writeFactory",
  async run(_host, argument) {
    const { title, uri, needs } = argument as ModelSite;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
    const editor = await vscode.window.showTextDocument(document);
    const last = document.lineAt(document.lineCount - 1);
    const call = (needs ?? []).map((name, index) => `${name}=\${${index + 1}:...}`).join(", ");
    const lead = last.text === "" ? "\n\n" : "\n\n\n";
    const text = `${lead}def ${factoryName(title)}():\n    return ${title}(${call})\n$0`;
    await editor.insertSnippet(new vscode.SnippetString(text), last.range.end);
  },
};
