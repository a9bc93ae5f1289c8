import * as vscode from "vscode";
import type { Command } from "../host.ts";
import { ensureInputs } from "../inputs.ts";
import { chooseModel } from "../models.ts";
import type { CheckReport, ServerError } from "../protocol.ts";
import { isError } from "../serverError.ts";
import { showProblem } from "../problems.ts";
import { counted } from "../text.ts";
import { requireTrust } from "../trust.ts";

export const check: Command = {
  id: "aipc.check",
  async run(host, argument) {
    if (!requireTrust("check a model")) return;
    const chosen = await chooseModel(host, argument, "check");
    const site = chosen && (await ensureInputs(host, chosen));
    if (!site) return;
    await vscode.workspace.saveAll(false);
    const answer = await host.server.ask<CheckReport | ServerError>("check", { model: site.model, uri: site.uri });
    if (!answer) return;
    if (isError(answer)) return showProblem(answer);
    const { npu = 0, cpu = 0, fails = 0 } = answer.placement;
    const rest = [cpu && `${cpu} on the CPU`, fails && `${fails} fail`].filter(Boolean).join(", ");
    const findings = answer.findings.length;
    const placed = `${npu} of ${counted(answer.nodes, "node")} on the NPU`;
    host.log.info(`${answer.model}: ${placed}, ${counted(findings, "finding")}`);
    void vscode.window.setStatusBarMessage(`$(chip) ${answer.model}: ${placed}${rest ? `, ${rest}` : ""}`, 10_000);
  },
};
