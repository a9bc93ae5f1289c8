/** Between the engine's places and the editor's. */

import * as vscode from "vscode";
import type { SourceRange } from "./protocol.ts";
import { utf16Column } from "./text.ts";

export async function toRange(place: SourceRange): Promise<vscode.Range> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(place.file));
  const at = (line: number, column: number): vscode.Position => {
    const number = Math.min(Math.max(line - 1, 0), document.lineCount - 1);
    return new vscode.Position(number, utf16Column(document.lineAt(number).text, column));
  };
  return new vscode.Range(at(place.start.line, place.start.column), at(place.end.line, place.end.column));
}

/** Open the file of a place and select it, beside a panel when one has the focus. */
export async function reveal(place: SourceRange, preserveFocus = false): Promise<void> {
  const uri = vscode.Uri.file(place.file);
  const open = vscode.window.visibleTextEditors.find((editor) => editor.document.uri.fsPath === uri.fsPath);
  const selection = await toRange(place);
  const editor = await vscode.window.showTextDocument(uri, {
    viewColumn: open?.viewColumn ?? vscode.ViewColumn.One,
    preserveFocus,
    selection,
  });
  editor.revealRange(selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
