import * as vscode from "vscode";
import { pickNumberFormat } from "../calibration.ts";
import type { Command, Host } from "../host.ts";
import { ensureInputs } from "../inputs.ts";
import { chooseModel } from "../models.ts";
import type { ModelSite, Soc, Targets } from "../protocol.ts";
import { requireTrust } from "../trust.ts";

interface Place extends vscode.QuickPickItem {
  soc?: string;
  target: string;
  fp16: Soc["fp16"];
}

export const deploy: Command = {
  id: "aipc.deploy",
  async run(host, argument) {
    if (!requireTrust("deploy a model")) return;
    const chosen = await chooseModel(host, argument, "deploy");
    const site = chosen && (await ensureInputs(host, chosen));
    if (!site) return;
    const place = await pickPlace(host, site);
    if (!place) return;
    const format = await pickNumberFormat(site, place.fp16);
    if (!format) return;
    await host.deploy({ model: site.model, uri: site.uri, soc: place.soc, target: place.target, ...format });
  },
};

/** Targets are listed as they are found; until then the pick shows that it is looking. */
function pickPlace(host: Host, site: ModelSite): Promise<Place | undefined> {
  return new Promise((resolve) => {
    const pick = vscode.window.createQuickPick<Place>();
    pick.title = `Deploy ${site.title} (1/2)`;
    pick.placeholder = "For which Snapdragon?";
    pick.matchOnDescription = true;
    pick.busy = true;
    pick.show();
    pick.onDidAccept(() => {
      resolve(pick.activeItems[0]);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    void host.server.ask<Targets>("targets").then((found) => {
      if (!found) return pick.hide();
      const current = vscode.workspace.getConfiguration("aipc", vscode.Uri.parse(site.uri)).get<string>("soc");
      pick.items = placesOf(found, current ?? "");
      pick.busy = false;
    });
  });
}

export function placesOf({ targets, socs }: Targets, current: string): Place[] {
  const devices = targets.filter((target) => target.kind !== "simulator" && target.available);
  const simulator = targets.find((target) => target.kind === "simulator");
  const first = (soc: Soc): number => (soc.part === (current || "sm8650") ? 0 : 1);
  return [
    ...devices.map((target) => ({
      label: `$(device-mobile) ${target.title}`,
      description: target.name,
      target: target.name,
      fp16: "yes" as const,
    })),
    ...(simulator?.available
      ? [...socs]
          .sort((a, b) => first(a) - first(b))
          .map((soc) => ({
            label: `$(chip) ${soc.title}`,
            description: `simulator · v${soc.arch}${soc.fp16 === "no" ? " · no fp16" : ""}`,
            soc: soc.part,
            target: "simulator",
            fp16: soc.fp16,
          }))
      : [
          {
            label: "$(warning) The simulator is not available",
            detail: simulator?.reason ?? "",
            target: "simulator",
            fp16: "yes" as const,
          },
        ]),
  ];
}
