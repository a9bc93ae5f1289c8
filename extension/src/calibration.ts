/** Ask for the number format of a deployment, and for calibration data when it needs some. */

import * as vscode from "vscode";
import {
  calibrationChoices,
  type Choice,
  FILE,
  FOLDER,
  FUNCTION,
  loaderProblem,
  needsCalibration,
  precisionChoices,
} from "./precisions.ts";
import type { ModelSite, Soc } from "./protocol.ts";

export interface NumberFormat {
  precision: string;
  /** Undefined: as pyproject.toml says. */
  calibration?: string;
}

/** Undefined when the user gave up. */
export async function pickNumberFormat(site: ModelSite, fp16: Soc["fp16"]): Promise<NumberFormat | undefined> {
  const settings = vscode.workspace.getConfiguration("aipc", vscode.Uri.parse(site.uri));
  const formats = precisionChoices(site, settings.get<string>("deploy.precision", ""), fp16);
  const format = await pick(formats, `Deploy ${site.title} (2/2)`, "Number format on the NPU");
  if (!format) return undefined;
  if (!needsCalibration(format)) return { precision: format };
  const sources = calibrationChoices(site, settings.get<string>("deploy.calibration", ""));
  const source = await pick(sources, `Deploy ${site.title}: calibration data`, "What the model usually sees");
  if (source === undefined) return undefined;
  const calibration = await located(source);
  if (calibration === undefined) return undefined;
  return calibration ? { precision: format, calibration } : { precision: format };
}

async function pick(choices: Choice[], title: string, placeHolder: string): Promise<string | undefined> {
  const picked = await vscode.window.showQuickPick(choices, { title, placeHolder, matchOnDescription: true });
  return picked?.value;
}

async function located(source: string): Promise<string | undefined> {
  if (source === FUNCTION)
    return vscode.window.showInputBox({
      title: "Calibration data",
      prompt: "A torch Dataset or DataLoader, or a generator of inputs",
      value: "data.py:samples",
      validateInput: loaderProblem,
    });
  if (source !== FOLDER && source !== FILE) return source;
  const chosen = await vscode.window.showOpenDialog({
    canSelectFolders: source === FOLDER,
    canSelectFiles: source === FILE,
    canSelectMany: false,
    title: "Calibration data",
    openLabel: "Calibrate with this",
    ...(source === FILE ? { filters: { Arrays: ["npz", "npy"] } } : {}),
  });
  return chosen?.[0]?.fsPath;
}
