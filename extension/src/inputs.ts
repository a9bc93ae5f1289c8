/** Example inputs of a model that has none: proposed by inference, confirmed once, remembered in pyproject.toml. */

import * as vscode from "vscode";
import type { Host } from "./host.ts";
import { showProblem } from "./problems.ts";
import { askWithProgress } from "./progress.ts";
import { shapeProblem, startingShapes } from "./shapes.ts";
import type { InferredInputs, ModelSite, ServerError } from "./protocol.ts";
import { isError, sentence } from "./serverError.ts";

/** Kinds of errors after which the user is asked for the inputs. */
const NO_INPUTS = new Set(["InputError", "NoInputsError"]);

/** The model with inputs that are known; undefined when the user gave up. */
export async function ensureInputs(host: Host, site: ModelSite): Promise<ModelSite | undefined> {
  return site.hasInputs ? site : askInputs(host, site);
}

export async function askInputs(host: Host, site: ModelSite): Promise<ModelSite | undefined> {
  const found = await infer(host, site, vscode.workspace.getConfiguration("aipc").get("check.limit", 60));
  if (!found) return undefined;
  // What is wrong with the environment, the text or the constructor comes first: asking for shapes would not help.
  if (isError(found) && !NO_INPUTS.has(found.error.kind)) {
    await showProblem(found);
    return undefined;
  }
  const inputs = isError(found)
    ? await enter(site, found.error.proposals ?? {}, sentence(found))
    : await confirm(site, found.shapes);
  if (!inputs) return undefined;
  const name = await remember(host, site, inputs);
  return name === undefined ? undefined : { ...site, model: name, hasInputs: true };
}

/** Inference runs the model's code, which may never end: it is stopped, and goes on where the user wants to wait. */
async function infer(host: Host, site: ModelSite, limit: number): Promise<InferredInputs | ServerError | undefined> {
  const title = `Looking for example inputs of ${site.title}`;
  const request = { model: site.model, uri: site.uri, ...(limit ? { seconds: limit } : {}) };
  const found = await askWithProgress<InferredInputs | ServerError>(host, title, "infer", request);
  if (!found || !isError(found) || found.error.kind !== "TimeLimitError") return found;
  const wait = "Keep Waiting";
  const give = "Enter Inputs";
  const text = `${site.title} was not built and run within ${limit} s. Look for an endless loop in it, or wait.`;
  const answer = await vscode.window.showWarningMessage(text, wait, give);
  if (answer === wait) return infer(host, site, 0);
  return answer === give ? { error: { ...found.error, kind: "InputError" } } : undefined;
}

interface Kept {
  name: string;
  /** What the author's file says, where it was left as it is. */
  replaces: string;
}

/** The name that the model has in pyproject.toml; what stands there already goes only when the user says so. */
async function remember(host: Host, site: ModelSite, inputs: Record<string, string>): Promise<string | undefined> {
  const ask = (replace: boolean): Promise<Kept | ServerError | undefined> =>
    host.server.ask("setInputs", { model: site.model, uri: site.uri, inputs, replace });
  let answer = await ask(false);
  if (answer && !isError(answer) && answer.replaces) {
    const yes = "Replace";
    const detail = `pyproject.toml says ${answer.replaces}. Replace them with ${JSON.stringify(inputs)}?`;
    const chosen = await vscode.window.showWarningMessage(
      `${answer.name} has example inputs already.`,
      { modal: true, detail },
      yes,
    );
    if (chosen !== yes) return undefined;
    answer = await ask(true);
  }
  if (!answer) return undefined;
  if (!isError(answer)) return answer.name;
  await showProblem(answer);
  return undefined;
}

async function confirm(site: ModelSite, proposed: Record<string, string>): Promise<Record<string, string> | undefined> {
  const names = Object.keys(proposed);
  if (names.length === 0) return enter(site, {}, "");
  const text = names.map((name) => `${name}: ${proposed[name] ?? ""}`).join(", ");
  const use = { label: "$(check) Use these", description: text, detail: "Remembered in [tool.aipc] of pyproject.toml" };
  const change = { label: "$(edit) Change them…" };
  const answer = await vscode.window.showQuickPick([use, change], { title: `Example inputs of ${site.title}` });
  if (answer === use) return proposed;
  return answer === change ? edit(site, proposed) : undefined;
}

/** Ask for each argument, beginning with what its code suggests. */
async function enter(
  site: ModelSite,
  proposals: Record<string, string>,
  problem: string,
): Promise<Record<string, string> | undefined> {
  if (problem) void vscode.window.showWarningMessage(problem);
  return edit(site, startingShapes(site.arguments, proposals));
}

async function edit(site: ModelSite, from: Record<string, string>): Promise<Record<string, string> | undefined> {
  const inputs: Record<string, string> = {};
  for (const [name, shape] of Object.entries(from)) {
    const value = await vscode.window.showInputBox({
      title: `${site.title}: ${name}`,
      prompt: "dtype and shape",
      value: shape,
      validateInput: shapeProblem,
    });
    if (value === undefined) return undefined;
    inputs[name] = value.trim();
  }
  return inputs;
}
