import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../src/states.ts";

const fine = { trusted: true, checking: [], missing: [], problem: "" };

test("each state has a word for the status bar and a sentence", () => {
  assert.equal(describe("starting", fine).short, "starting");
  assert.equal(describe("ready", fine).short, "");
  assert.equal(describe("ready", { ...fine, trusted: false }).short, "restricted");
  assert.equal(describe("ready", { ...fine, checking: ["/a/model.py:Net"] }).text, "Checking Net.");
  assert.equal(describe("no-python", { ...fine, problem: "There is no Python." }).text, "There is no Python.");
});

test("what is missing is named before anything is called ready", () => {
  const view = describe("ready", { ...fine, missing: ["torch", "QAIRT"] });
  assert.deepEqual([view.short, view.bad], ["no QAIRT here", true]);
  assert.match(view.text, /torch, QAIRT/);
  assert.equal(describe("ready", { ...fine, missing: ["torch"] }).short, "incomplete");
});
