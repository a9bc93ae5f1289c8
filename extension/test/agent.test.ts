import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentReport, Verdict } from "../src/protocol.ts";
import { figures, outcome, proposed, spent } from "../src/agent/messages.ts";
import { pushedTo, question, toolName } from "../src/tools/push.ts";

const PROOF: Verdict = {
  proposal: 2,
  gates: [],
  approximate: false,
  sqnr_db: "inf",
  max_abs: 0,
  simulator_sqnr_db: 71.26,
  findings: [],
  seconds: 1,
};
const REPORT: AgentReport = {
  model: "odd",
  soc: "sm8650",
  ok: true,
  stopped: "solved",
  words: "The finding is gone.",
  edits: [],
  proof: PROOF,
  accepted: [{ number: 2, title: "compute the parity by a division", edits: [] }],
  verdicts: [],
  usage: { requests: 2, prompt: 4000, completion: 120, estimated: 0, seconds: 1, cost: null },
  trace: "/trace",
  learned: [],
  attacks: [],
  goal: { kind: "deploy", rule: "", file: "", line: 0, nodes: [] },
  diffs: {},
  left: [],
  capsule: null,
  applied: false,
  backup: null,
  endpoint: "",
  qairt: "2.51",
  precision: "fp16",
  evidence: {},
};

test("a proof is told in figures", () => {
  assert.equal(figures("sm8650", REPORT.proof), "compiles for sm8650, max error 0, simulator 71.3 dB");
  const proof = { ...PROOF, approximate: true, sqnr_db: 40, max_abs: 0.012345, simulator_sqnr_db: null };
  assert.equal(figures("sm8650", proof), "compiles for sm8650, max error 0.012, approximate");
  assert.equal(figures("sm8650", null), "");
});

test("what was spent is told, and that it is a bound where the endpoint did not count", () => {
  assert.equal(spent(REPORT), "2 requests, 4120 tokens");
  const usage = { ...REPORT.usage, estimated: 120, cost: 0.012345 };
  assert.equal(spent({ ...REPORT, usage }), "2 requests, at most 4120 tokens, cost 0.0123");
});

test("the outcome is one sentence, and has no figures where nothing was reached", () => {
  const proved = "compiles for sm8650, max error 0, simulator 71.3 dB";
  assert.equal(outcome(REPORT), `The finding is gone (${proved}); 2 requests, 4120 tokens.`);
  assert.equal(outcome({ ...REPORT, ok: false, words: "It gave up" }), "It gave up; 2 requests, 4120 tokens.");
});

test("what a tool would do with a device is asked in its own words", () => {
  const target = "ssh:board";
  assert.equal(
    question("deploy", { model: "net", target, setup: true }, target),
    "Copy `net` to the device `ssh:board` and run it there, installing what it lacks in a directory of its own there?",
  );
  assert.match(question("verify", { package: "p", target }, target), /^Copy `p` to .* and run it there\?$/);
  assert.equal(question("targets", { target }, target), "Connect to the device `ssh:board` and look at what it is?");
});

test("only devices are pushed to", () => {
  for (const target of [undefined, "", "simulator", "local", "local:0"]) assert.equal(pushedTo({ target }), undefined);
  for (const target of ["ssh:phone", "adb:1234", "aihub:x", "Simulator"]) assert.equal(pushedTo({ target }), target);
});

test("a contributed tool is the engine's, with a prefix", () => {
  assert.deepEqual(["aipc_check", "aipc_explain_finding"].map(toolName), ["check", "explain_finding"]);
});

test("a partial result is not told as a whole", () => {
  assert.match(proposed(REPORT), /passed every gate \(compute the parity by a division\)/);
  assert.match(proposed({ ...REPORT, ok: false }), /^As far as the agent came/);
});
