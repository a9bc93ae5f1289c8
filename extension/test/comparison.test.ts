import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeployReport, RunSummary } from "../src/protocol.ts";
import { comparison } from "../src/views/comparison.ts";

const run = (soc: string, seconds: number): RunSummary => ({
  directory: `/runs/${soc}`,
  root: "/",
  state: "passed",
  model: "<b>net</b>",
  reference: "net",
  soc,
  precision: "fp16",
  target: "simulator",
  allow_cpu: false,
  started: 1_700_000_000,
  seconds,
  stages: [{ name: "capture", seconds: 1, cached: false, ok: true, gate: "captured 1.0, wanted 1.0" }],
  package: null,
  report: null,
  message: "",
  calibration: null,
});

const report = (sqnr_db: number): DeployReport => ({
  model: "net",
  soc: "sm8650",
  precision: "fp16",
  target: "simulator",
  ok: true,
  stages: [],
  package: null,
  placement: { npu: 5, cpu: 0, fails: 0 },
  accuracy: {
    outputs: [{ name: "logits", cosine: 1, sqnr_db, max_abs: 0, max_rel: 0, nan: 0, inf: 0, ideal_fp16_sqnr_db: null }],
  },
  latency: null,
  findings: [],
  capsule: null,
  run: null,
  timings: {},
  environment: {},
  packages: {},
  frontier: null,
  node_accuracy: null,
  metric: null,
  probes: [],
  agent: null,
  device: null,
  remedies: [],
  compiled: null,
});

test("what differs between two runs stands out, and names cannot become markup", () => {
  const page = comparison([run("sm8650", 2), run("sm8750", 2)], [report(66.1), report(70)]);
  assert.match(page, /<td class="differs">sm8650<\/td><td class="differs">sm8750<\/td>/);
  assert.match(page, /<td>precision<\/td><td>fp16<\/td><td>fp16<\/td>/);
  assert.match(page, /<td class="differs">66.1 dB<\/td><td class="differs">70.0 dB<\/td>/);
  assert.doesNotMatch(page, /<b>net/);
});

test("a run without a report leaves its figures empty", () => {
  const page = comparison([run("sm8650", 2), run("sm8750", 3)], [report(66.1), undefined]);
  assert.match(page, /<td class="differs">66.1 dB<\/td><td class="differs">–<\/td>/);
});
