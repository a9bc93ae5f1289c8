/** What the agent's result is called, for people. */

import { decibels } from "../text.ts";
import type { AgentReport, Figure, Verdict } from "../protocol.ts";

/** The figures of a proof: what compiler, simulator and numbers said. */
export function figures(soc: string, proof: Verdict | null): string {
  if (!proof) return "";
  const parts = [`compiles for ${soc}`];
  if (proof.max_abs !== null) parts.push(`max error ${short(proof.max_abs)}`);
  if (proof.simulator_sqnr_db !== null) parts.push(`simulator ${decibels(proof.simulator_sqnr_db)}`);
  if (proof.approximate) parts.push("approximate");
  return parts.join(", ");
}

function short(value: Figure): string {
  return typeof value === "number" ? String(Number(value.toPrecision(2))) : value;
}

/** What a run has used. The cost is shown only where prices are known. */
export function spent({ usage }: AgentReport): string {
  const tokens = usage.prompt + usage.completion;
  const about = usage.estimated > 0 ? "at most " : "";
  const cost = usage.cost === null ? "" : `, cost ${Number(usage.cost.toPrecision(3))}`;
  return `${usage.requests} requests, ${about}${tokens} tokens${cost}`;
}

/** How a run ended, in one sentence. */
export function outcome(report: AgentReport): string {
  const reason = report.words.replace(/\.$/, "");
  const proof = report.ok ? figures(report.soc, report.proof) : "";
  return `${reason}${proof ? ` (${proof})` : ""}; ${spent(report)}.`;
}

/** What is offered: the whole, or as far as it came. */
export function proposed(report: AgentReport): string {
  const title = report.accepted.map((item) => item.title).join("; ");
  return report.ok ? `The agent's change passed every gate (${title}):` : `As far as the agent came (${title}):`;
}
