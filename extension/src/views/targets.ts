/** Where packages can run: connected devices, and the simulator with its SoCs. */

import * as vscode from "vscode";
import { describe } from "../commands/selectSoc.ts";
import { effective, somewhere } from "../effective.ts";
import type { Examined, ServerError, Soc, Target, Targets } from "../protocol.ts";
import { isError } from "../serverError.ts";
import type { Server } from "../server.ts";

type Node =
  | { kind: "target"; target: Target }
  | { kind: "fact"; name: string; value: string; problem?: boolean }
  | { kind: "arch"; arch: number; socs: Soc[] }
  | { kind: "soc"; soc: Soc };

export class TargetsView implements vscode.TreeDataProvider<Node> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #server: Server;
  #found: Targets | undefined;
  #current = "";

  constructor(server: Server) {
    this.#server = server;
  }

  refresh(): void {
    this.#found = undefined;
    this.#changed.fire(undefined);
  }

  async getChildren(node?: Node): Promise<Node[]> {
    this.#found ??= await this.#server.ask<Targets>("targets");
    if (!node) this.#current = (await effective(this.#server, undefined))?.soc.value ?? "";
    const found = this.#found;
    if (!found) return [];
    if (!node) return inOrder(found.targets).map((target) => ({ kind: "target", target }));
    if (node.kind === "target") return node.target.kind === "simulator" ? byArch(found.socs) : this.#facts(node.target);
    if (node.kind === "arch") return node.socs.map((soc) => ({ kind: "soc", soc }));
    return [];
  }

  /** A device is asked when its entry is opened. */
  async #facts(target: Target): Promise<Node[]> {
    const found = await this.#server.ask<Examined | ServerError>("examine", { target: target.name, uri: somewhere() });
    if (!found) return [];
    if (isError(found)) return [{ kind: "fact", name: found.error.message, value: found.error.remedy, problem: true }];
    if (!found.ok) return [{ kind: "fact", name: found.description.reason, value: "", problem: true }];
    return found.rows.map(([name, value]) => ({ kind: "fact", name, value }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === "target") return targetItem(node.target);
    if (node.kind === "fact") {
      const item = new vscode.TreeItem(node.name);
      item.description = node.value;
      item.tooltip = node.value ? `${node.name}: ${node.value}` : node.name;
      item.iconPath = new vscode.ThemeIcon(node.problem ? "warning" : "info");
      item.contextValue = "fact";
      return item;
    }
    if (node.kind === "arch") {
      const item = new vscode.TreeItem(`HTP v${node.arch}`, vscode.TreeItemCollapsibleState.Collapsed);
      item.description = `${node.socs.length} SoCs`;
      return item;
    }
    const item = new vscode.TreeItem(node.soc.title);
    item.description = describe(node.soc);
    item.iconPath = new vscode.ThemeIcon(node.soc.part === this.#current ? "pass-filled" : "chip");
    item.contextValue = "soc";
    item.command = { title: "Use This SoC", command: "aipc.useSoc", arguments: [node] };
    return item;
  }
}

function targetItem(target: Target): vscode.TreeItem {
  const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
  const state = target.available ? (target.kind === "simulator" ? Expanded : Collapsed) : None;
  const item = new vscode.TreeItem(target.title, state);
  item.description = target.available ? target.name : target.reason;
  item.tooltip = target.available ? target.title : `${target.title}: ${target.reason}`;
  const icon = target.kind === "simulator" ? "vm" : "device-mobile";
  item.iconPath = new vscode.ThemeIcon(target.available ? icon : "circle-slash");
  item.contextValue = "target";
  return item;
}

/** Devices that are there, then those that are not, then the simulator with its long list. */
function inOrder(targets: Target[]): Target[] {
  const rank = (target: Target): number => (target.kind === "simulator" ? 2 : target.available ? 0 : 1);
  return [...targets].sort((a, b) => rank(a) - rank(b));
}

function byArch(socs: Soc[]): Node[] {
  const arches = [...new Set(socs.map((soc) => soc.arch))].sort((a, b) => b - a);
  return arches.map((arch) => ({ kind: "arch", arch, socs: socs.filter((soc) => soc.arch === arch) }));
}
