import * as vscode from "vscode";
import { pickNumberFormat } from "../calibration.ts";
import type { Command, Host } from "../host.ts";
import { ensureInputs } from "../inputs.ts";
import { chooseModel } from "../models.ts";
import { type Place, placesOf } from "../deployPlaces.ts";
import { effective } from "../effective.ts";
import type { ModelSite, Targets } from "../protocol.ts";
import { requireTrust } from "../trust.ts";

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
    void Promise.all([
      host.server.ask<Targets>("targets"),
      effective(host.server, site.uri, { model: site.model }),
    ]).then(([found, current]) => {
      if (!found) return pick.hide();
      pick.items = placesOf(found, current);
      pick.busy = false;
    });
  });
}
