// Deploy from the palette: to the end, cancelled, over a reload, and stopped by a gate.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { open, workspace } from "./vscode.mjs";

let window;

before(async () => {
  window = await open(workspace("tests/e2e/project"));
  await window.openFile("small.py");
  await window.ready();
});
after(() => window.close());
afterEach((context) => window.keepFailure(context));

test("a deployment ends with a verified package and its actions", async () => {
  await window.deploy("small");
  const done = await window.deployed("small passed in the simulator of SM8650");
  assert.match(await done.textContent(), /nodes on the NPU, \d+\.\d dB against PyTorch/);
  assert.ok(existsSync(join(window.folder, ".aipc/packages/small-sm8650-fp16/manifest.json")));
  await window.shot("deployed");
  await window.answer(done, "Open Report");
  const report = await window.webview();
  await report.locator("h1", { hasText: "small" }).waitFor();
  await window.shot("report");
});

test("afterwards each line says how far its nodes are from PyTorch", async () => {
  await window.openFile("small.py");
  await window.inlineValues();
  await window.shot("inline-values");
});

test("the run is in the history and its gates are in the Test Explorer", async () => {
  await window.viewRow("passed in");
  await window.shot("views");
  await window.command("Testing: Focus on Test Explorer View");
  await window.page.locator(".test-explorer .monaco-list-row", { hasText: "small" }).first().waitFor();
});

test("a cancelled deployment stops at once and is listed as cancelled", async () => {
  await window.deploy("deep");
  const progress = window.notification("Deploying deep");
  await window.answer(progress, "Cancel");
  await window.notification("The deployment was cancelled").waitFor({ timeout: 30_000 });
  assert.equal(existsSync(join(window.folder, ".aipc/packages/deep-sm8650-fp16")), false);
  await window.viewRow("cancelled in");
});

test("a window that is reloaded in the middle goes on with its deployment", async () => {
  await window.deploy("deep");
  await window.notification("Deploying deep").waitFor();
  const runs = join(window.folder, ".aipc/runs");
  const before = readdirSync(runs).length;
  await window.page.waitForTimeout(1500);
  await window.page.reload();
  await window.page.waitForSelector(".monaco-workbench .statusbar");
  await window.deployed("deep passed in the simulator of SM8650", 240);
  assert.ok(existsSync(join(window.folder, ".aipc/packages/deep-sm8650-fp16/manifest.json")));
  assert.ok(readdirSync(runs).length >= before);
});

test("a gate that is not passed opens at the line that is responsible", async () => {
  await window.deploy("wrong");
  await window.deployed("wrong failed the gate after verify");
  await window.selects("torch.tan(image * 40)");
  await window.shot("gate-not-passed");
});

test("two runs are compared side by side", async () => {
  await window.command("AIPC: Compare Runs");
  await window.pick("failed");
  await window.pick("passed");
  const page = await window.webview();
  await page.locator("td", { hasText: "SQNR" }).first().waitFor();
  assert.match(await page.locator("table").textContent(), /resultfailedpassed/);
});

test("a bug report has versions and logs, and nothing of the model unless asked", async () => {
  await window.command("AIPC: Collect a Bug Report");
  await window.pick("Without the model");
  await window.notification("The bug report is in").waitFor();
  const [folder] = readdirSync(window.folder).filter((name) => name.startsWith("aipc-bug-report"));
  const inside = readdirSync(join(window.folder, folder), { recursive: true }).map(String);
  assert.ok(inside.includes("versions.json"), inside.join());
  assert.ok(inside.includes(join("run", "journal.jsonl")), inside.join());
  assert.ok(!inside.some((name) => /\.(onnx|npz|py)$/.test(name)), inside.join());
});
