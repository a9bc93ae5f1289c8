/** Wires the parts; knows nothing itself. */

import * as vscode from "vscode";
import { COMMANDS } from "./commands/index.ts";
import { Deployments } from "./deployment.ts";
import type { Host } from "./host.ts";
import { IdleChecks } from "./idle.ts";
import { onInterpreterChange } from "./interpreter.ts";
import { Server } from "./server.ts";
import { Status } from "./status.ts";
import { registerTools } from "./tools/languageModelTools.ts";
import { McpServers } from "./tools/mcp.ts";
import { GateTests } from "./views/gateTests.ts";
import { GraphPanels } from "./views/graphPanel.ts";
import { OnnxEditor } from "./views/onnxEditor.ts";
import { PackagesView } from "./views/packages.ts";
import { type RunNode, RunsView } from "./views/runs.ts";
import { TargetsView } from "./views/targets.ts";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("AIPC", { log: true });
  const running = (server = new Server(context, log));
  const gates = new GateTests(context.workspaceState);
  const targets = new TargetsView(running);
  const packages = new PackagesView(running);
  const runs = new RunsView(running, (found) => gates.publish(found));
  const tree = vscode.window.createTreeView<RunNode>("aipc.runs", { treeDataProvider: runs, canSelectMany: true });
  const host: Host = {
    context,
    server: running,
    log,
    deploy: (args) => deployments.deploy(args),
    refreshRuns: () => void runs.refresh(),
    refreshPackages: () => packages.refresh(),
    runs: () => runs.runs,
    selectedRuns: () => tree.selection.filter((node) => !node.stage).map((node) => node.run),
    showGraph: (model, uri, nodes) => graphs.show(model, uri, nodes),
  };
  const deployments = new Deployments(host);
  const graphs = new GraphPanels(host);
  const mcp = new McpServers(context);
  context.subscriptions.push(
    log,
    running,
    gates,
    graphs,
    tree,
    mcp,
    registerTools(context, running),
    new Status(running),
    new IdleChecks(running),
    vscode.window.registerTreeDataProvider("aipc.targets", targets),
    vscode.window.registerTreeDataProvider("aipc.packages", packages),
    vscode.window.registerCustomEditorProvider("aipc.onnx", new OnnxEditor(context.extensionUri), {
      webviewOptions: { retainContextWhenHidden: true },
    }),
    vscode.commands.registerCommand("aipc.refreshTargets", () => targets.refresh()),
    ...COMMANDS.map((command) =>
      vscode.commands.registerCommand(command.id, (...args: unknown[]) => command.run(host, ...args)),
    ),
    onInterpreterChange(() => {
      void running.restart();
      mcp.changed();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void running.restart(true)),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("aipc.soc") && targets.refresh()),
    running.onStateChange((state) => {
      if (state !== "ready") return;
      tellVisible(running);
      targets.refresh();
      packages.refresh();
      void runs.refresh();
      void deployments.resume();
    }),
    vscode.window.onDidChangeVisibleTextEditors(() => tellVisible(running)),
  );
  void running.restart();
}

/** Checks of what is in front of the user go first. */
function tellVisible(running: Server): void {
  const uris = vscode.window.visibleTextEditors.map((editor) => editor.document.uri.toString());
  running.tell("aipc/visible", { uris });
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
