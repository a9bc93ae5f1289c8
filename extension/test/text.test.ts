import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  decibels,
  escapeHtml,
  seconds,
  utf16Column,
  when,
  failedGate,
  gateFigures,
  passedWhere,
  rounded,
  upperFirst,
} from "../src/text.ts";
import type { Figure, Finding } from "../src/protocol.ts";

test("times are short and exact enough", () => {
  assert.deepEqual([0.04, 9.96, 42.4, 90, 125].map(seconds), ["0.0 s", "10.0 s", "42 s", "1 min 30 s", "2 min 5 s"]);
});

test("sizes have the unit that fits", () => {
  assert.deepEqual([0, 1023, 1024, 8.1 * 2 ** 20, 3 * 2 ** 30].map(bytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "8.1 MiB",
    "3.0 GiB",
  ]);
});

test("an infinite SQNR is called exact", () => {
  assert.deepEqual([decibels("inf"), decibels(66.13), decibels("nan")], ["exact", "66.1 dB", "nan"]);
});

test("columns count UTF-16 units, as the editor does", () => {
  assert.equal(utf16Column('x = "😀✓ä"', 6), 7);
  assert.equal(utf16Column("abc", 99), 3);
});

test("text from outside cannot become markup", () => {
  assert.equal(escapeHtml(`<a href="x">&'`), "&#60;a href=&#34;x&#34;&#62;&#38;&#39;");
});

test("ages are told roughly", () => {
  const now = 1_700_000_000_000;
  assert.deepEqual(
    [30, 120, 7200, 200_000].map((age) => when(now / 1000 - age, now)),
    ["just now", "2 min ago", "2 h ago", "2023-11-12"],
  );
});

test("a package that was simulated does not run on a chip", () => {
  assert.equal(passedWhere({ soc: "sm8650", target: "simulator" }), "passed in the simulator of SM8650");
  assert.equal(passedWhere({ soc: "sm8650", target: "ssh:phone" }), "runs on SM8650 (ssh:phone)");
});

test("a missed gate says what was measured and wanted", () => {
  const gate = {
    metric: "sqnr_db",
    value: 67.1234567,
    threshold: 110,
    ok: false,
    detail: "output y",
    nodes: [],
    accepted: false,
  };
  const stage = { name: "verify", seconds: 1, cached: false, gate, note: "" };
  assert.equal(
    failedGate("net", stage, undefined),
    "net failed the gate after verify: SQNR 67.1 dB, wanted 110 dB. Output y.",
  );
  const lost = { ...stage, gate: { ...gate, value: "-inf" as const } };
  assert.match(failedGate("net", lost, undefined), /verify: SQNR -inf dB, wanted 110 dB/);
  assert.equal(failedGate("net", undefined, undefined), "net failed the gate after a stage.");
  const best = { ...gate, detail: "output y; a correctly rounded fp16 run has 67.4 dB: fp16 is too coarse" };
  const finding = { message: "fp16 is too coarse for Sub here." } as Finding;
  assert.equal(
    failedGate("net", { ...stage, gate: best }, finding),
    "net failed the gate after verify: SQNR 67.1 dB, wanted 110 dB; correctly rounded fp16 reaches 67.4 dB. " +
      "fp16 is too coarse for Sub here.",
  );
});

test("figures of gates have few digits, their unit, and no count of one in the plural", () => {
  const figures = (metric: string, value: Figure | null, threshold: number, ok = true): string =>
    gateFigures({ metric, value, threshold, ok });
  assert.deepEqual(
    [
      figures("captured", 1, 1),
      figures("captured", 0, 1, false),
      figures("nodes off the NPU", 1, 0, false),
      figures("nodes off the NPU", 0, 0),
      figures("sqnr_db", 66.123456789012, 40),
      figures("sqnr_db", "inf", 40),
      figures("sqnr_db", null, 40, false),
      figures("top_1", 0.712345678901, 0.7),
    ],
    [
      "captured",
      "not captured",
      "1 node off the NPU",
      "0 nodes off the NPU",
      "SQNR 66.1 dB, wanted 40 dB",
      "SQNR exact, wanted 40 dB",
      "SQNR not measured, wanted 40 dB",
      "top 1 0.7123, wanted 0.7",
    ],
  );
});

test("a figure has one digit at the most, and one that is not finite is written as it came", () => {
  assert.deepEqual([rounded(67.1234567), rounded(40), rounded("inf"), rounded("nan")], ["67.1", "40", "inf", "nan"]);
});

test("a sentence begins with a capital, a name stays", () => {
  assert.equal(upperFirst("there is no file"), "There is no file");
  assert.equal(upperFirst("model.py has 2 models"), "model.py has 2 models");
  assert.equal(upperFirst("forward raised IndexError"), "forward raised IndexError");
});
