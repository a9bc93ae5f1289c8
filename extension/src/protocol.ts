/** What the language server's commands take and answer: the engine's data types, as JSON. */

import { upperFirst } from "./text.ts";

export interface Position {
  line: number; // 1-based
  column: number; // 0-based, in code points
}

export interface SourceRange {
  file: string;
  start: Position;
  end: Position;
}

export interface ServerError {
  /** `soc`: the chip to compile for, where that is the way out. */
  error: { kind: string; message: string; remedy: string; range: SourceRange | null; soc?: string };
  /** What deploys the package's model again. */
  again?: { model: string; uri: string; precision: string };
}

export interface ModelSite {
  model: string;
  title: string;
  uri: string;
  line: number;
  hasInputs: boolean;
  arguments: string[];
  /** What pyproject.toml says; empty when it says nothing. */
  precision?: string;
  calibration?: string;
  /** Arguments that its constructor needs, where it cannot be built by its name. */
  needs?: string[];
  /** To go to in the graph. */
  nodes?: string[];
}

/** A value that is in effect and who says so, in words that follow "says". */
export interface Choice {
  value: string;
  source: string;
}

export interface Effective {
  soc: Choice;
  precision: Choice;
  target: Choice;
  /** Of the chip. */
  title: string;
  fp16: Soc["fp16"];
}

export interface Finding {
  rule: string;
  severity: "error" | "warning" | "information";
  message: string;
  compiler: string | null;
  range: SourceRange | null;
}

export interface CheckReport {
  model: string;
  soc: string;
  nodes: number;
  placement: { npu?: number; cpu?: number; fails?: number };
  findings: Finding[];
}

export interface Gate {
  metric: string;
  value: number | null;
  threshold: number;
  ok: boolean;
  detail: string;
}

export interface StageRecord {
  name: string;
  seconds: number;
  cached: boolean;
  gate: Gate | null;
}

export interface OutputAccuracy {
  name: string;
  cosine: number;
  sqnr_db: number | string;
  max_abs: number;
}

/** What a search over precisions tried. */
export interface Frontier {
  tried: { label: string; ok: boolean; sqnr_db: number | string | null; bytes: number | null }[];
  chosen: string | null;
}

export interface DeployReport {
  model: string;
  soc: string;
  precision: string;
  target: string;
  ok: boolean;
  stages: StageRecord[];
  package: string | null;
  placement: { npu: number; cpu: number; fails: number } | null;
  accuracy: { outputs: OutputAccuracy[] } | null;
  latency: { p50_ms?: number; cpu?: { p50_ms?: number } } | null;
  device?: { facts: { simulated: boolean } } | null;
  findings: Finding[];
  capsule: string | null;
  run: string | null;
  timings: Record<string, number>;
  frontier?: Frontier | null;
}

export type { DeployArguments } from "./requests.ts";

export interface RunStage {
  name: string;
  seconds: number | null;
  cached: boolean;
  ok: boolean | null;
  gate: string;
}

export type RunState = "running" | "passed" | "failed" | "error" | "cancelled" | "interrupted";

export interface RunSummary {
  directory: string;
  root: string;
  state: RunState;
  model: string;
  reference: string;
  soc: string;
  precision: string;
  target: string;
  allow_cpu: boolean;
  started: number;
  seconds: number;
  stages: RunStage[];
  package: string | null;
  report: string | null;
  message: string;
  calibration?: string | null;
}

export interface PackageFile {
  name: string;
  bytes: number;
}

export interface PackageInfo {
  directory: string;
  manifest: { model: string; soc: string; precision: string; qairt?: string };
  files: PackageFile[];
}

export interface Target {
  name: string;
  kind: string;
  title: string;
  available: boolean;
  reason: string;
}

export interface Mismatch {
  axis: string;
  message: string;
  remedy: string;
  blocks: boolean;
}

/** One device, and whether a package fits it. */
export interface Examined {
  ok: boolean;
  description: Target;
  mismatches: Mismatch[];
  /** Name and value of what the device says of itself. */
  rows: [string, string][];
}

export interface VerifyReport {
  package: string;
  model: string;
  target: string;
  ok: boolean;
  gate: Gate;
  changed: string[];
}

export interface Soc {
  part: string;
  title: string;
  arch: number;
  fp16: "yes" | "partial" | "no";
}

export interface Targets {
  targets: Target[];
  socs: Soc[];
}

export interface DoctorItem {
  name: string;
  ok: boolean;
  needed: boolean;
  found: string;
  remedy: string;
}

export interface DoctorReport {
  ok: boolean;
  items: DoctorItem[];
}

export interface InferredInputs {
  shapes: Record<string, string>;
}

export interface Overlay {
  model: string;
  soc: string;
  stale: boolean;
  nodes: Record<
    string,
    {
      placement: string;
      reason?: string;
      sqnr_db?: number;
      introduced_db?: number;
      effect_db?: number;
      share?: number;
      latency_us?: number;
    }
  >;
  findings: { id: string; rule: string; severity: string; message: string; nodes: string[] }[];
}

export interface GraphAnswer {
  path: string;
  nodes: number;
  overlay: Overlay;
}

export function isError(answer: unknown): answer is ServerError {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

/** One sentence: what happened, and what to do. */
export function sentence({ error }: ServerError): string {
  const what = upperFirst(error.message.replace(/\.$/, ""));
  return error.remedy ? `${what}. ${upperFirst(error.remedy)}.` : `${what}.`;
}
