/** What the packages of the workspace contain. */

import * as vscode from "vscode";
import type { PackageFile, PackageInfo } from "../protocol.ts";
import type { Server } from "../server.ts";
import { bytes } from "../text.ts";

export interface PackageNode {
  info: PackageInfo;
  file?: PackageFile;
}

export class PackagesView implements vscode.TreeDataProvider<PackageNode> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  async getChildren(node?: PackageNode): Promise<PackageNode[]> {
    if (node) return node.file ? [] : node.info.files.map((file) => ({ info: node.info, file }));
    const found = (await this.#server.ask<PackageInfo[]>("packages")) ?? [];
    return found.map((info) => ({ info }));
  }

  getTreeItem({ info, file }: PackageNode): vscode.TreeItem {
    if (file) {
      const uri = vscode.Uri.joinPath(vscode.Uri.file(info.directory), ...file.name.split(/[/\\]/));
      const item = new vscode.TreeItem(uri);
      item.label = file.name;
      item.description = bytes(file.bytes);
      item.command = { title: "Open", command: "vscode.open", arguments: [uri] };
      return item;
    }
    const { model, soc, precision, qairt } = info.manifest;
    const item = new vscode.TreeItem(model, vscode.TreeItemCollapsibleState.Collapsed);
    const size = info.files.reduce((sum, one) => sum + one.bytes, 0);
    item.description = `${soc} · ${precision} · ${bytes(size)}`;
    item.tooltip = `${info.directory}${qairt ? `\nQAIRT ${qairt}` : ""}`;
    item.iconPath = new vscode.ThemeIcon("package");
    item.contextValue = "package";
    return item;
  }
}
