import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf } from "../src/deployPlaces.ts";
import type { Effective, Targets } from "../src/protocol.ts";
import { inEffect } from "../src/text.ts";

const socs: Targets["socs"] = [
  { part: "sm8750", title: "SM8750", arch: 79, fp16: "yes" },
  { part: "sm8650", title: "SM8650", arch: 75, fp16: "yes" },
  { part: "qcs6490", title: "QCS6490", arch: 68, fp16: "no" },
];
const simulator = {
  name: "simulator",
  kind: "simulator",
  title: "Simulator",
  available: true,
  reason: "",
  facts: null,
};
const board = { name: "ssh:board", kind: "ssh", title: "board", available: true, reason: "", facts: null };
const project = "[tool.aipc] in pyproject.toml";

function inUse(soc: string, source: string, target = "simulator"): Effective {
  const by = target === "simulator" ? "the default" : project;
  const precision = { value: "fp16", source: "the default" };
  return { soc: { value: soc, source }, precision, target: { value: target, source: by }, title: soc, fp16: "yes" };
}

test("accepting deploys for the chip that the project names", () => {
  const found = placesOf({ targets: [simulator, board], socs }, inUse("qcs6490", project));
  assert.deepEqual([found[0]?.soc, found[0]?.target], ["qcs6490", "simulator"]);
  assert.match(found[0]?.description ?? "", /no fp16 · as \[tool\.aipc\] in pyproject\.toml says/);
  assert.equal(found.length, 4);
});

test("a target of the project comes first, then connected devices, then the default chip", () => {
  const other = { ...board, name: "adb:1", kind: "adb" };
  const targets = [simulator, other, board];
  const named = placesOf({ targets, socs }, inUse("sm8650", "the default", "ssh:board"));
  assert.deepEqual(
    named.slice(0, 3).map((place) => place.soc ?? place.target),
    ["ssh:board", "adb:1", "sm8650"],
  );
  const [first] = placesOf({ targets, socs }, inUse("sm8650", "the default"));
  assert.equal(first?.target, "adb:1");
});

test("the status says of each value who says so", () => {
  assert.equal(
    inEffect({ ...inUse("qcs6490", "the setting aipc.soc"), title: "QCS6490" }),
    "QCS6490: as the setting aipc.soc says\nfp16: the default\nsimulator: the default",
  );
});
