import * as vscode from "vscode";
import type { Command, Host } from "../host.ts";
import type { DoctorItem, DoctorReport } from "../protocol.ts";

export const doctor: Command = {
  id: "aipc.doctor",
  async run(host) {
    const report = await host.server.ask<DoctorReport>("doctor");
    if (!report) {
      await withoutServer(host);
      return;
    }
    const missing = report.items.filter((item) => !item.ok && item.remedy.includes("pip install"));
    const picked = await vscode.window.showQuickPick(rows(report, missing), {
      title: `AIPC Doctor: ${host.server.interpreter?.path ?? ""}`,
      placeHolder: report.ok ? "Everything that is needed is here" : "Something is missing",
      matchOnDescription: true,
      ignoreFocusOut: true,
    });
    if (picked?.install) await install(host, picked.install);
    else if (picked?.item && !picked.item.ok)
      void vscode.window.showInformationMessage(`${picked.item.name}: ${picked.item.remedy}`);
  },
};

interface Row extends vscode.QuickPickItem {
  item?: DoctorItem;
  install?: DoctorItem[];
}

function rows(report: DoctorReport, missing: DoctorItem[]): Row[] {
  const found = report.items.map((item) => ({
    label: `$(${item.ok ? "pass" : item.needed ? "error" : "warning"}) ${item.name}`,
    description: item.found,
    detail: item.ok ? undefined : item.remedy,
    item,
  }));
  if (missing.length === 0) return found;
  const names = missing.map((item) => item.name).join(", ");
  return [{ label: "$(cloud-download) Install what is missing…", description: names, install: missing }, ...found];
}

/** In a terminal, where the user sees what pip does; only after a yes. */
async function install(host: Host, missing: DoctorItem[]): Promise<void> {
  const python = host.server.interpreter?.path ?? "python3";
  const packages = missing.map((item) => /pip install (.*)$/.exec(item.remedy)?.[1] ?? item.name);
  const yes = "Install";
  const answer = await vscode.window.showWarningMessage(
    `Install ${missing.map((item) => item.name).join(", ")} into ${python}?`,
    { modal: true, detail: `pip downloads and installs them; PyTorch alone can take several hundred megabytes.` },
    yes,
  );
  if (answer !== yes) return;
  const terminal = vscode.window.createTerminal({ name: "AIPC: install", isTransient: true });
  terminal.show();
  terminal.sendText(`"${python}" -m pip install ${packages.join(" ")}`);
}

async function withoutServer(host: Host): Promise<void> {
  const choose = "Select Interpreter";
  const log = "Show Log";
  const message = host.server.problem || "The language server is not running.";
  const answer = await vscode.window.showErrorMessage(message, choose, log);
  if (answer === choose) await vscode.commands.executeCommand("aipc.selectInterpreter");
  if (answer === log) host.log.show();
}
