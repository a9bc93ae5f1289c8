/** The MCP server, for the editor's agents: started with the interpreter that has the user's PyTorch. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { findInterpreter } from "../interpreter.ts";

const run = promisify(execFile);
const ID = "aipc.mcp";

class Definitions implements vscode.McpServerDefinitionProvider<vscode.McpStdioServerDefinition> {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeMcpServerDefinitions = this.#changed.event;
  readonly #context: vscode.ExtensionContext;

  constructor(context: vscode.ExtensionContext) {
    this.#context = context;
  }

  changed(): void {
    this.#changed.fire();
  }

  /** One server for each workspace folder, which is its boundary. */
  async provideMcpServerDefinitions(): Promise<vscode.McpStdioServerDefinition[]> {
    if (!vscode.workspace.isTrusted) return [];
    const folders = vscode.workspace.workspaceFolders?.filter((folder) => folder.uri.scheme === "file") ?? [];
    const extension = this.#context.extension.packageJSON as { version: string };
    return Promise.all(
      folders.map(async (folder) => {
        const { path } = await findInterpreter(folder.uri);
        const script = vscode.Uri.joinPath(this.#context.extensionUri, "bundled", "start_mcp.py").fsPath;
        const label = folders.length > 1 ? `AIPC (${folder.name})` : "AIPC";
        const definition = new vscode.McpStdioServerDefinition(
          label,
          path,
          [script, folder.uri.fsPath],
          {},
          extension.version,
        );
        definition.cwd = folder.uri;
        return definition;
      }),
    );
  }

  /** The SDK is an optional part of the user's environment: where it lacks, say what brings it. */
  async resolveMcpServerDefinition(
    definition: vscode.McpStdioServerDefinition,
  ): Promise<vscode.McpStdioServerDefinition | undefined> {
    if (await hasSdk(definition.command)) return definition;
    const install = "Install";
    const answer = await vscode.window.showWarningMessage(
      `The MCP server needs the library mcp, version 2 or newer, in ${definition.command}.`,
      install,
    );
    if (answer === install) {
      const terminal = vscode.window.createTerminal({ name: "AIPC: install", isTransient: true });
      terminal.show();
      terminal.sendText(`"${definition.command}" -m pip install "mcp>=2,<3"`);
    }
    return undefined;
  }
}

async function hasSdk(python: string): Promise<boolean> {
  const script = "import importlib.util, sys; sys.exit(importlib.util.find_spec('mcp_types') is None)";
  try {
    await run(python, ["-I", "-c", script], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/** Offers the server; asks again when the interpreter, the folders or the trust change. */
export class McpServers implements vscode.Disposable {
  readonly #definitions: Definitions;
  readonly #listeners: vscode.Disposable[];

  constructor(context: vscode.ExtensionContext) {
    const definitions = (this.#definitions = new Definitions(context));
    this.#listeners = [
      vscode.lm.registerMcpServerDefinitionProvider(ID, definitions),
      vscode.workspace.onDidChangeWorkspaceFolders(() => definitions.changed()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => definitions.changed()),
    ];
  }

  changed(): void {
    this.#definitions.changed();
  }

  dispose(): void {
    this.#listeners.forEach((item) => void item.dispose());
  }
}
