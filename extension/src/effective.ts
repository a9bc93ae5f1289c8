/** What is in effect for a file, as the server says it: the one answer that bar, pickers and views show. */

import * as vscode from "vscode";
import type { Effective, ServerError } from "./protocol.ts";
import { isError } from "./serverError.ts";
import type { Server } from "./server.ts";

/** Undefined while the server is not there or the configuration is wrong. */
export async function effective(
  server: Server,
  uri: string | undefined,
  options: { model?: string; withoutSetting?: boolean } = {},
): Promise<Effective | undefined> {
  const place = uri ?? somewhere();
  if (!place) return undefined;
  const answer = await server.ask<Effective | ServerError>("effective", { uri: place, ...options });
  return !answer || isError(answer) ? undefined : answer;
}

/** The active file, or a place in the project. */
export function somewhere(): string | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active?.scheme === "file") return active.toString();
  const folder = vscode.workspace.workspaceFolders?.[0];
  return folder && vscode.Uri.joinPath(folder.uri, "pyproject.toml").toString();
}
