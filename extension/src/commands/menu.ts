import * as vscode from "vscode";
import type { Command } from "../host.ts";

const ITEMS = [
  { label: "$(search) Check Model", command: "aipc.check" },
  { label: "$(rocket) Deploy to Snapdragon", command: "aipc.deploy" },
  { label: "$(type-hierarchy) Show Graph", command: "aipc.showGraph" },
  { label: "$(chip) Select Snapdragon SoC", command: "aipc.selectSoc" },
  { label: "$(circle-slash) Cancel Running Checks", command: "aipc.cancelChecks" },
  { label: "$(pulse) Doctor", command: "aipc.doctor" },
  { label: "$(output) Show Log", command: "aipc.showLog" },
  { label: "$(settings-gear) Settings", command: "workbench.action.openSettings", argument: "@ext:aipc.aipc" },
];

/** What the status bar item opens. */
export const menu: Command = {
  id: "aipc.menu",
  async run() {
    const picked = await vscode.window.showQuickPick(ITEMS, { title: "AIPC" });
    if (picked) await vscode.commands.executeCommand(picked.command, picked.argument);
  },
};
