/** What a device lacks is brought only when the user agrees; a host that is not trusted is looked at by the user. */

import * as vscode from "vscode";
import type { ServerError } from "./protocol.ts";

const SET_UP = "Set Up";
const TERMINAL = "Open Terminal";

/** Whether the user agrees that the device is set up. False for any other refusal. */
export async function agreesToSetUp({ error }: ServerError, target: string): Promise<boolean> {
  if (error.kind !== "SetupNeededError") return false;
  const detail =
    `${error.message}.\n\nAIPC can install it in a directory of its own on the device (~/.aipc), ` +
    "from wheels that this computer downloads. Nothing else there is changed.";
  const chosen = await vscode.window.showWarningMessage(`Set up ${target}?`, { modal: true, detail }, SET_UP);
  return chosen === SET_UP;
}

/** Buttons that help with a device that cannot be reached, or is another chip than the package is for. */
export function helpFor({ error }: ServerError, target: string | undefined): string[] {
  if (error.soc) return [compileFor(error.soc)];
  return target?.startsWith("ssh:") && / discover: /.test(error.message) ? [TERMINAL] : [];
}

/** The button that deploys again for the chip that the device says it is. */
export function compileFor(soc: string): string {
  return `Deploy for ${soc.toUpperCase()}`;
}

/** A terminal with `ssh HOST` typed, to be run by the user, who sees the host's key there. */
export function openTerminal(chosen: string | undefined, target: string | undefined): void {
  const host = target?.slice("ssh:".length) ?? "";
  if (chosen !== TERMINAL || !/^[\w.@:%[\]-]+$/.test(host) || host.startsWith("-")) return;
  const terminal = vscode.window.createTerminal(`ssh ${host}`);
  terminal.show();
  terminal.sendText(`ssh ${host}`, false);
}
