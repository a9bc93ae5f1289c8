import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrationChoices, loaderProblem, needsCalibration, precisionChoices } from "../src/precisions.ts";

const site = { model: "m", title: "m", uri: "file:///m.py", line: 1, hasInputs: true, arguments: [] };
const values = (choices: { value: string }[]): string[] => choices.map(({ value }) => value);

test("half precision comes first, and is not offered where the NPU has none", () => {
  assert.equal(values(precisionChoices(site, "", "yes"))[0], "fp16");
  const integers = values(precisionChoices(site, "", "no"));
  assert.equal(integers[0], "auto");
  assert.ok(!integers.includes("fp16"));
});

test("the model's own precision comes first, and the setting before it", () => {
  const configured = { ...site, precision: "w8a16" };
  const [first] = precisionChoices(configured, "", "yes");
  assert.equal(first?.value, "w8a16");
  assert.match(first?.description ?? "", /as pyproject\.toml says/);
  const [chosen] = precisionChoices(configured, "w8a8", "yes");
  assert.equal(chosen?.value, "w8a8");
  assert.match(chosen?.description ?? "", /as the setting says/);
});

test("only integers need calibration data", () => {
  assert.deepEqual(["fp16", "w8a16", "w8a8", "mixed", "auto"].map(needsCalibration), [false, true, true, true, true]);
});

test("what is configured is offered first, random numbers last and by name only", () => {
  assert.deepEqual(values(calibrationChoices(site, "")), ["folder", "file", "function", "random"]);
  const both = calibrationChoices({ ...site, calibration: "images/" }, "data.py:load");
  assert.deepEqual(values(both).slice(0, 2), ["data.py:load", ""]);
  assert.equal(both.at(-1)?.value, "random");
});

test("a loader is named as file.py:name", () => {
  assert.equal(loaderProblem(" data/load.py:Images.train "), undefined);
  for (const text of ["", "data.py", "data.py:", "load", "data.txt:x"]) assert.ok(loaderProblem(text), text);
});
