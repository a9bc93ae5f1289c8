// Deploy with a precision that is searched for: offered with calibration data, the frontier in the report, the blame on its line.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { open, workspace } from "./vscode.mjs";

let window;

before(async () => {
  window = await open(workspace("examples/outlier-channel", "tests/e2e/quantized"));
  await window.openFile("model.py");
  await window.ready(300);
});
after(() => window.close());
afterEach((context) => window.keepFailure(context));

test("deploy offers number formats and calibration data", async () => {
  await window.command("AIPC: Deploy to Snapdragon");
  await window.pick("SM8650");
  await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "w8a16" }).first().waitFor();
  const formats = await window.page.locator(".quick-input-list .monaco-list-row").allTextContents();
  assert.match(formats[0], /auto.*as pyproject\.toml says/);
  await window.shot("number-formats");
  // The first entry is the active one; its hover may lie over it.
  await window.page.keyboard.press("Enter");
  await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "Random numbers" }).first().waitFor();
  await window.shot("calibration-data");
  await window.pick("As pyproject.toml says");
});

test("the search ends with the cheapest that passed, and the report has its frontier", async () => {
  const done = window.notification("passed in the simulator of SM8650 as w8a8+2 higher");
  await done.waitFor({ timeout: 900_000 });
  assert.match(await done.textContent(), /taken of \d+ tried/);
  await done.locator(".monaco-button, .action-label", { hasText: "Open Report" }).first().click();
  const report = await window.webview();
  const plot = report.locator("svg.plot");
  await plot.waitFor();
  assert.equal(await plot.locator("circle.chosen").count(), 1);
  await plot.scrollIntoViewIfNeeded();
  await window.shot("frontier");
});

test("the line that introduces the error says so, and so does the graph", async () => {
  await window.openFile("model.py");
  await window.goTo(40);
  await window.page.waitForFunction(
    () => [...document.querySelectorAll(".view-line")].some((line) => /introduces/.test(line.textContent)),
    undefined,
    { timeout: 300_000 },
  );
  const hints = await window.hints();
  assert.ok(
    hints.some((hint) => /NPU.*dB, introduces \d+ %/.test(hint)),
    hints.join(),
  );
  await window.shot("introduced-on-the-lines");
  await window.command("AIPC: Show Graph");
  const page = await window.graph();
  await page.locator("[data-mode=introduced]:enabled").click();
  await page.locator(".aipc-heat").first().waitFor();
  await window.shot("introduced-in-the-graph");
});
