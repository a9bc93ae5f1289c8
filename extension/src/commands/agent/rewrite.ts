import type { Command } from "../../host.ts";
import { runAgent } from "../../agent/runs.ts";

interface Argument {
  model: string;
  uri: string;
  rule: string;
  line: number;
  nodes: string[];
}

/** From the light bulb of a finding that no rule solves. */
export const rewriteLayer: Command = {
  id: "aipc.agent.rewrite",
  async run(host, argument) {
    const { model, uri, rule, line, nodes } = argument as Argument;
    await runAgent(host, model, uri, { kind: "finding", rule, line, nodes });
  },
};
