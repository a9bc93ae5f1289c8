import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeProblem, startingShapes } from "../src/shapes.ts";

test("a dtype and a shape are accepted, anything else is not", () => {
  for (const good of ["float32[1,3,224,224]", " int64[1, 16] ", "float32[]", "bool[2]"])
    assert.equal(shapeProblem(good), undefined, good);
  for (const bad of ["", "1,3,224,224", "float32", "float32[1,3", "float32[-1,3]", "double[1]", "float32[a,3]"])
    assert.ok(shapeProblem(bad), bad);
});

test("what the code suggests of an argument is where the author begins", () => {
  assert.deepEqual(startingShapes(["tokens", "x"], { tokens: "int64[1,16]" }), {
    tokens: "int64[1,16]",
    x: "float32[1,3,224,224]",
  });
  assert.deepEqual(startingShapes([], { tokens: "int64[1,16]" }), { tokens: "int64[1,16]" });
});
