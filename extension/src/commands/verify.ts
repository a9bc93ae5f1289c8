/** Run a package of the list again, on a device or in the simulator, and say what changed since its deployment. */

import * as vscode from "vscode";
import { agreesToSetUp, compileFor, helpFor, openTerminal } from "../consent.ts";
import type { Command, Host } from "../host.ts";
import type { PackageInfo, ServerError, Targets, VerifyReport } from "../protocol.ts";
import { isError, sentence } from "../serverError.ts";
import { gateFigures } from "../text.ts";
import { requireTrust } from "../trust.ts";

export const verifyPackage: Command = {
  id: "aipc.verifyPackage",
  async run(host, item) {
    const directory = (item as { info?: PackageInfo } | undefined)?.info?.directory;
    if (!directory || !requireTrust("run a package")) return;
    const target = await pickTarget(host);
    if (target) await verify(host, directory, target, false);
  },
};

async function pickTarget(host: Host): Promise<string | undefined> {
  const found = (await host.server.ask<Targets>("targets"))?.targets ?? [];
  const items = found.filter((one) => one.available).map((one) => ({ label: one.title, description: one.name }));
  const picked = await vscode.window.showQuickPick(items, { title: "Verify Package", placeHolder: "Run it where?" });
  return picked?.description;
}

async function verify(host: Host, directory: string, target: string, setup: boolean): Promise<void> {
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Verifying on ${target}` },
    () => host.server.ask<VerifyReport | ServerError>("verify", { package: directory, target, setup }),
  );
  if (!answer) return;
  if (isError(answer)) {
    if (await agreesToSetUp(answer, target)) return verify(host, directory, target, true);
    if (answer.error.kind === "SetupNeededError") return;
    const chosen = await vscode.window.showErrorMessage(sentence(answer), ...helpFor(answer, target));
    const { soc } = answer.error;
    if (answer.again && soc && chosen === compileFor(soc)) return host.deploy({ ...answer.again, soc, target });
    openTerminal(chosen, target);
    return;
  }
  const changed = answer.changed.length ? `; changed since the deployment: ${answer.changed.join(", ")}` : "";
  const figures = `${answer.model} on ${target}: ${gateFigures(answer.gate)}${changed}.`;
  if (answer.ok) void vscode.window.showInformationMessage(`Verified: ${figures}`);
  else void vscode.window.showErrorMessage(`Not verified: ${figures}`);
}
