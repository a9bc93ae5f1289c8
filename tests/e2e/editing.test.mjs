// Findings while you write: on the right columns, with the compiler's words, gone when they no longer hold.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, workspace } from "./vscode.mjs";

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
  assert.match(await lens.textContent(), /Deploy to Snapdragon.*Show graph/);
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
  const hints = await window.hints();
  assert.ok(hints.includes("NPU ×2"), hints.join());
  assert.ok(hints.includes("CPU 1/1"), hints.join());
});

test("a light bulb leads from the finding to its node in the graph", async () => {
  await window.lightBulb(23, 25, "Show in the graph");
  const graph = await window.graph();
  await graph.locator(".graph-node.select", { hasText: "LayerNormalization" }).waitFor();
});

test("an edit that repairs a line takes its squiggle away at once", async () => {
  await window.replaceLine(25, '        padded = F.pad(features, (1, 1, 1, 1), mode="constant")');
  await window.page.waitForFunction(() => document.querySelectorAll(".squiggly-info").length === 2);
  await window.save();
  await window.ready();
  await window.page.waitForFunction(() => document.querySelectorAll(".squiggly-info").length === 2);
});
