/** What commands and views share. */

import type * as vscode from "vscode";
import type { DeployArguments, RunSummary } from "./protocol.ts";
import type { Server } from "./server.ts";

export interface Host {
  context: vscode.ExtensionContext;
  server: Server;
  log: vscode.LogOutputChannel;
  /** Deploy, with progress and a cancel button; also what resuming and deploying again do. */
  deploy(args: DeployArguments): Promise<void>;
  refreshRuns(): void;
  refreshPackages(): void;
  runs(): readonly RunSummary[];
  selectedRuns(): readonly RunSummary[];
  /** Open or refresh a model's graph; with ``nodes``, go to them. */
  showGraph(model: string, uri: string, nodes?: string[]): Promise<void>;
}

/** One command is one file that exports this. */
export interface Command {
  id: string;
  run(host: Host, ...args: unknown[]): unknown;
}
