import * as vscode from "vscode";
import type { Command, Host } from "../host.ts";
import type { Soc, Targets } from "../protocol.ts";

export const selectSoc: Command = {
  id: "aipc.selectSoc",
  async run(host) {
    const found = await host.server.ask<Targets>("targets");
    if (!found) return;
    const current = vscode.workspace.getConfiguration("aipc").get<string>("soc");
    const picked = await vscode.window.showQuickPick(
      [
        { label: "$(discard) As pyproject.toml says", description: "else sm8650", part: "" },
        ...found.socs.map((soc) => ({
          label: `${soc.part === current ? "$(check) " : ""}${soc.title}`,
          description: describe(soc),
          part: soc.part,
        })),
      ],
      { title: "Which Snapdragon?", matchOnDescription: true },
    );
    if (picked) await setSoc(host, picked.part);
  },
};

export const useSoc: Command = {
  id: "aipc.useSoc",
  async run(host, item) {
    const part = (item as { soc?: Soc } | undefined)?.soc?.part;
    if (part) await setSoc(host, part);
  },
};

export function describe(soc: Soc): string {
  const fp16 = { yes: "", partial: " · fp16 in part", no: " · no fp16" }[soc.fp16];
  return `${soc.part} · HTP v${soc.arch}${fp16}`;
}

async function setSoc(host: Host, part: string): Promise<void> {
  const inWorkspace = vscode.workspace.workspaceFolders !== undefined;
  const where = inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration("aipc").update("soc", part || undefined, where);
  host.log.info(`SoC: ${part || "as pyproject.toml says"}`);
}
