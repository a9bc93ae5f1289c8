import type { Command } from "../host.ts";
import { askInputs } from "../inputs.ts";
import { chooseModel } from "../models.ts";
import { requireTrust } from "../trust.ts";

export const configureInputs: Command = {
  id: "aipc.configureInputs",
  async run(host, argument) {
    if (!requireTrust("look at a model's inputs")) return;
    const site = await chooseModel(host, argument, "set the inputs of");
    if (site) await askInputs(host, site);
  },
};
