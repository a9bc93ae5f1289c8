/** The report of a run: the same self-contained page that the command line writes. */

import * as vscode from "vscode";

export async function showReport(file: string, title: string): Promise<void> {
  const page = new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.file(file)));
  const panel = vscode.window.createWebviewPanel("aipc.report", title, vscode.ViewColumn.Active, {
    enableScripts: false,
  });
  const { kind } = vscode.window.activeColorTheme;
  const dark = kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast;
  const themed = page.replace("@media(prefers-color-scheme:dark)", dark ? "@media all" : "@media not all");
  panel.webview.html = themed.replace(
    "<head>",
    `<head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:;">`,
  );
}
