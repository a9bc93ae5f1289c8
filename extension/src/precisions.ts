/** The number formats that a deployment offers, and where its calibration data comes from. */

import type { ModelSite } from "./protocol.ts";

export interface Choice {
  label: string;
  description: string;
  detail?: string;
  value: string;
}

const FORMATS: Choice[] = [
  { value: "fp16", label: "fp16", description: "half precision, no calibration data needed" },
  {
    value: "auto",
    label: "auto",
    description: "the cheapest that passes",
    detail: "Tries 8 and 16 bits, a mixture and fp16, and shows what each costs and keeps",
  },
  { value: "w8a16", label: "w8a16", description: "weights of 8 bits, activations of 16" },
  { value: "w8a8", label: "w8a8", description: "weights and activations of 8 bits, least memory traffic" },
  { value: "mixed", label: "mixed", description: "8 bits, and the fewest layers that need it at 16" },
];

/** The formats in the order in which they are offered: the model's own or the setting's first. */
export function precisionChoices(site: ModelSite, setting: string, fp16: "yes" | "partial" | "no"): Choice[] {
  const usable = FORMATS.filter(({ value }) => value !== "fp16" || fp16 !== "no");
  const first = setting || site.precision || (fp16 === "no" ? "auto" : "fp16");
  const marked = usable.map((choice) => {
    const from = choice.value === setting ? "the setting" : choice.value === site.precision ? "pyproject.toml" : "";
    return from ? { ...choice, description: `${choice.description} (as ${from} says)` } : choice;
  });
  return [...marked].sort((a, b) => Number(b.value === first) - Number(a.value === first));
}

export function needsCalibration(precision: string): boolean {
  return precision !== "fp16";
}

export const FOLDER = "folder";
export const FILE = "file";
export const FUNCTION = "function";

/** Where calibration data may come from; an empty value leaves it to pyproject.toml. */
export function calibrationChoices(site: ModelSite, setting: string): Choice[] {
  return [
    ...(setting ? [{ value: setting, label: "$(gear) As the setting says", description: setting }] : []),
    ...(site.calibration
      ? [{ value: "", label: "$(check) As pyproject.toml says", description: site.calibration }]
      : []),
    {
      value: FOLDER,
      label: "$(folder) A folder of pictures or arrays…",
      description: "some dozens of typical inputs",
    },
    { value: FILE, label: "$(file) An .npz or .npy file…", description: "samples along the first axis" },
    { value: FUNCTION, label: "$(symbol-function) A dataset or generator…", description: "file.py:name" },
    {
      value: "random",
      label: "$(warning) Random numbers",
      description: "to try it out only",
      detail: "Ranges from random numbers are wrong for real data; every report says so",
    },
  ];
}

/** What is wrong with the name of a loader; nothing when it may do. */
export function loaderProblem(text: string): string | undefined {
  return /^[^:]+\.py:[A-Za-z_][\w.]*$/.test(text.trim()) ? undefined : "write it as file.py:name";
}
