import * as vscode from "vscode";
import { effective, somewhere } from "../effective.ts";
import { sourceText } from "../text.ts";
import type { Command, Host } from "../host.ts";
import type { Soc, Targets } from "../protocol.ts";

export const selectSoc: Command = {
  id: "aipc.selectSoc",
  async run(host) {
    const found = await host.server.ask<Targets>("targets");
    if (!found) return;
    const place = somewhere();
    const now = await effective(host.server, place);
    const project = await effective(host.server, place, { withoutSetting: true });
    const other = project ? `${project.soc.value}, ${sourceText(project.soc.source)}` : "else sm8650";
    const picked = await vscode.window.showQuickPick(
      [
        { label: "$(discard) No setting", description: other, part: "" },
        ...found.socs.map((soc) => ({
          label: `${soc.part === now?.soc.value ? "$(check) " : ""}${soc.title}`,
          description: `${describe(soc)}${soc.part === now?.soc.value ? ` · ${sourceText(now.soc.source)}` : ""}`,
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
  host.log.info(`SoC: ${part || "no setting"}`);
}
