// The graph panel: coloured nodes, from a node to its line and from the cursor to its node.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, workspace } from "./vscode.mjs";

let window;
let graph;

before(async () => {
  window = await open(workspace("bundled/examples/three-problems"));
  await window.openFile("model.py");
  await window.ready();
  await window.command("AIPC: Show Graph");
  graph = await window.graph();
  await graph.locator(".graph-node", { hasText: "Einsum" }).waitFor({ timeout: 120_000 });
});
after(() => window.close());

test("nodes are coloured by where they run, with a second cue", async () => {
  const of = (kind) => graph.locator(`.graph-node:has-text("${kind}")`).first();
  await of("Einsum").and(graph.locator(".aipc-cpu")).waitFor();
  await of("Conv").and(graph.locator(".aipc-npu")).waitFor();
  assert.match(await of("Einsum").textContent(), /CPU/);
});

test("clicking a node reveals the expression that made it", async () => {
  await graph.locator(".graph-node", { hasText: "LayerNormalization" }).locator(".node-item-type").click();
  await window.selects("self.norm(features)");
});

test("the cursor on a line selects its nodes", async () => {
  await window.focusEditor();
  await window.goTo(26, 12);
  await window.page.keyboard.press("ArrowRight");
  await graph.locator(".graph-node.select", { hasText: "Relu" }).waitFor();
});

test("the finding after that node's is shown in the graph and in the source", async () => {
  await graph.locator("#aipc-next").click();
  await graph.locator(".graph-node.select", { hasText: "Pad" }).waitFor();
  await window.selects('F.pad(features, (1, 1, 1, 1), mode="circular")');
  await window.shot("graph-dark");
});

test("the panel follows the theme", async () => {
  await window.theme("Default Light Modern");
  await graph.locator("body[data-vscode-theme-kind=vscode-light]").waitFor();
  await window.page.waitForTimeout(500);
  await window.shot("graph-light");
});
