/** A request to the server that takes time: its stages in a notification, with a button that stops it. */

import * as vscode from "vscode";
import { WorkDoneProgress } from "vscode-languageclient/node";
import type { Host } from "./host.ts";

let next = 0;

/** The answer; undefined when the server is gone or was stopped meanwhile. */
export function askWithProgress<T>(host: Host, title: string, command: string, args: object): Thenable<T | undefined> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, cancelled) => {
    const { client } = host.server;
    if (!client) return undefined;
    next += 1;
    const workDoneToken = `aipc-${command}-${process.pid}-${next}`;
    const listener = client.onProgress(WorkDoneProgress.type, workDoneToken, (value) => {
      if ("message" in value && value.message) progress.report({ message: value.message });
    });
    cancelled.onCancellationRequested(() => {
      void client.sendNotification("window/workDoneProgress/cancel", { token: workDoneToken });
    });
    try {
      return await host.server.ask<T>(command, { ...args, workDoneToken });
    } catch (error) {
      host.log.warn(`${title} was cut short: ${String(error)}`);
      return undefined;
    } finally {
      listener.dispose();
    }
  });
}
