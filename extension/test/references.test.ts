import assert from "node:assert/strict";
import { test } from "node:test";
import { factoryName, splitReference } from "../src/references.ts";

test("a model that is typed is a file and a name", () => {
  assert.deepEqual(splitReference(" nets/größe.py:Net.small "), { file: "nets/größe.py", name: "Net.small" });
  assert.deepEqual(splitReference("C:\\nets\\a.py:Net"), { file: "C:\\nets\\a.py", name: "Net" });
  assert.deepEqual(splitReference("a.py"), { file: "a.py", name: "" });
  assert.deepEqual(splitReference("a.py:"), { file: "a.py", name: "" });
  assert.deepEqual(splitReference("m.onnx"), { file: "m.onnx", name: "" });
  assert.equal(splitReference("Net"), undefined);
  assert.equal(splitReference("a.py:3x"), undefined);
});

test("a factory is called after its model", () => {
  assert.equal(factoryName("TinyNet"), "make_tiny_net");
  assert.equal(factoryName("LPRNet"), "make_lpr_net");
});
