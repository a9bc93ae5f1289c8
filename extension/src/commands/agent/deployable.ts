import type { Command } from "../../host.ts";
import { runAgent } from "../../agent/runs.ts";
import { chooseModel } from "../../models.ts";
import { requireTrust } from "../../trust.ts";

export const makeDeployable: Command = {
  id: "aipc.agent.deployable",
  async run(host, argument) {
    if (!requireTrust("let the agent work")) return;
    const site = await chooseModel(host, argument, "make deployable");
    if (site) await runAgent(host, site.model, site.uri, { kind: "deploy" });
  },
};
