/** What is said of a request that the server refused: the sentence, the line, and the button that leads on. */

import * as vscode from "vscode";
import type { Host } from "./host.ts";
import { reveal } from "./places.ts";
import type { ServerError } from "./protocol.ts";
import { sentence } from "./serverError.ts";

const DOCTOR = "Run Doctor";
const LOG = "Show Log";
const RESTART = "Restart Server";
const INTERPRETER = "Select Interpreter";

/** Buttons for an error by its kind. */
export function buttonsFor({ error }: ServerError): string[] {
  if (/Missing|Qairt/.test(error.kind)) return [DOCTOR, INTERPRETER];
  // With a button the whole text is shown, not its first line.
  return [LOG];
}

/** Say what went wrong and open its line; nothing of what the user stopped. */
export async function showProblem(answer: ServerError): Promise<void> {
  if (answer.error.kind === "CancelledError") return;
  if (answer.error.range) await reveal(answer.error.range);
  await runButton(await vscode.window.showErrorMessage(sentence(answer), ...buttonsFor(answer)));
}

/** The server does not answer: why, and what can be done. */
export async function showNoServer(host: Host): Promise<void> {
  const text = host.server.problem || "The language server of AIPC is not running.";
  await runButton(await vscode.window.showErrorMessage(text, RESTART, INTERPRETER, LOG));
}

async function runButton(label: string | undefined): Promise<void> {
  const commands: Record<string, string> = {
    [DOCTOR]: "aipc.doctor",
    [LOG]: "aipc.showLog",
    [RESTART]: "aipc.restartServer",
    [INTERPRETER]: "aipc.selectInterpreter",
  };
  const command = label && commands[label];
  if (command) await vscode.commands.executeCommand(command);
}
