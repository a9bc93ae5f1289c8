// Findings while you write: on the right columns, with the compiler's words, gone when they no longer hold.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { promisify } from "node:util";
import { open, PYTHON, workspace } from "./vscode.mjs";

let window;

before(async () => {
  window = await open(workspace("bundled/examples/three-problems"));
  await window.openFile("model.py");
  await window.ready();
});
after(() => window.close());
afterEach((context) => window.keepFailure(context));

test("each model has its lenses", async () => {
  const lens = window.page.locator(".codelens-decoration", { hasText: "Check three-problems" });
  await lens.waitFor();
  assert.match(await lens.textContent(), /Deploy to SM8650.*Show graph/);
});

test("saving brings three squiggles on their expressions", async () => {
  await window.type("\n", { line: 27 });
  await window.save();
  await window.squiggles("info").nth(2).waitFor();
  assert.deepEqual(await window.underlined(), [
    'torch.einsum("bmchw,bnmc->bnchw", frames, links)',
    "self.norm(features)",
    'F.pad(features, (1, 1, 1, 1), mode="circular")',
  ]);
});

test("the hover has the author's sentence, the compiler's words and the rule", async () => {
  const hover = await window.hoverOver("einsum");
  assert.match(hover, /einsum/i);
  assert.match(hover, /QAIRT: Einsum unsupported equation: bmchw,bnmc->bnchw/);
  assert.match(hover, /aipc\(?einsum/);
  await window.shot("squiggles-dark");
});

test("the end of a line says where its nodes run", async () => {
  await window.showsHints(["NPU ×2", "CPU 1/1"]);
});

test("a light bulb leads from the finding to its node in the graph", async () => {
  await window.lightBulb(23, 25, "Show in the graph");
  const graph = await window.graph();
  await graph.locator(".graph-node.select", { hasText: "LayerNormalization" }).waitFor();
});

test("an edit that repairs a line takes its squiggle away at once", async () => {
  await window.replaceLine(25, '        padded = F.pad(features, (1, 1, 1, 1), mode="constant")');
  await window.squigglesLeft(2);
  await window.save();
  await window.ready();
  await window.squigglesLeft(2);
  await window.replaceLine(25, '        padded = F.pad(features, (1, 1, 1, 1), mode="circular")');
  await window.save();
  await window.ready();
  await window.squigglesLeft(3);
});

test("quick fixes alone take the example from three squiggles to none, and each is proved", async () => {
  const original = await outputs(window.folder);
  for (const [left, line, column] of [
    [2, 25, 20],
    [1, 23, 25],
    [0, 21, 20],
  ]) {
    await window.lightBulb(line, column, "(proved: compiles for sm8650");
    await window.squigglesLeft(left);
    if (left === 2) await window.shot("quick-fix-applied");
    await window.save();
    await window.ready();
    await window.squigglesLeft(left);
  }
  await window.shot("no-squiggles");
  const text = readFileSync(join(window.folder, "model.py"), "utf8");
  for (const comment of ["# Every one of the six outputs", "# over height and width: two axes", "# The picture is a"])
    assert.ok(text.includes(comment), text);
  const fixed = await outputs(window.folder);
  assert.equal(fixed.length, original.length);
  const largest = Math.max(...fixed.map((value, index) => Math.abs(value - original[index])));
  assert.ok(largest < 1e-5, `outputs differ by ${largest}`);
});

test("undo takes a quick fix back in one step", async () => {
  await window.focusEditor();
  await window.page.keyboard.press("Control+Z");
  await window.save();
  await window.ready();
  await window.squigglesLeft(1);
});

/** What PyTorch gives for the model in a folder as it is saved, on inputs of a fixed seed. */
async function outputs(folder) {
  const { stdout } = await promisify(execFile)(PYTHON, ["-c", RUN], { cwd: folder, maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

const RUN = `
import json, torch
from model import Tracker
torch.manual_seed(0)
model = Tracker().eval()
frames, links = torch.rand(1, 4, 8, 16, 16), torch.rand(1, 6, 4, 8)
print(json.dumps(model(frames, links).flatten().tolist()))
`;
