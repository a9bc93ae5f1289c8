import type { Command } from "../host.ts";
import { ensureInputs } from "../inputs.ts";
import { chooseModel } from "../models.ts";
import { requireTrust } from "../trust.ts";

export const showGraph: Command = {
  id: "aipc.showGraph",
  async run(host, argument) {
    if (!requireTrust("show a model's graph")) return;
    const chosen = await chooseModel(host, argument, "show the graph of");
    const site = chosen && (await ensureInputs(host, chosen));
    if (site) await host.showGraph(site.model, site.uri, site.nodes);
  },
};
