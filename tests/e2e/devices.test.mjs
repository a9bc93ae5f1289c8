// A device reached by ssh: chosen in the quick pick, set up with consent, deployed to, its facts in the view.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, before, test } from "node:test";
import { open, PYTHON, ROOT, workspace } from "./vscode.mjs";

let window;
let device;
let told;

before(async () => {
  const directory = mkdtempSync(join(tmpdir(), "aipc-device-"));
  device = spawn(PYTHON, [join(ROOT, "tests/targets/device.py"), directory], { stdio: ["pipe", "pipe", "inherit"] });
  device.directory = directory;
  told = JSON.parse(
    await new Promise((resolve) => createInterface({ input: device.stdout }).once("line", (line) => resolve(line))),
  );
  Object.assign(process.env, told.environment);
  window = await open(workspace("tests/e2e/project"));
  await window.openFile("small.py");
  await window.ready();
});
after(async () => {
  await window?.close();
  const ended = new Promise((resolve) => device.once("exit", resolve));
  device.stdin.end();
  await ended;
  rmSync(device.directory, { recursive: true, force: true });
});
afterEach((context) => window.keepFailure(context));

test("a deployment to a device that lacks the libraries asks first, sets it up, and ends there", async () => {
  await window.deploy("small", "test-device (ssh)");
  const dialog = window.page.locator(".monaco-dialog-box", { hasText: "Set up ssh:test-device?" });
  await dialog.waitFor({ timeout: 180_000 });
  assert.match(await dialog.textContent(), /onnxruntime-qnn/);
  await window.shot("device-consent");
  assert.equal(existsSync(join(told.base, "env")), false);
  await dialog.locator(".monaco-button", { hasText: "Set Up" }).click();
  const done = await window.deployed("small runs on SM8650 (ssh:test-device)", 300);
  assert.match(await done.textContent(), /nodes on the NPU, \d+\.\d dB against PyTorch/);
  assert.doesNotMatch(await done.textContent(), / ms/, "an x86 device measures no latency");
  assert.ok(existsSync(join(told.base, "env")));
  await window.shot("device-deployed");
});

test("afterwards each line says how far its nodes are from PyTorch", async () => {
  await window.openFile("small.py");
  await window.inlineValues();
  await window.shot("device-inline-values");
});

test("the view has what the device says of itself, and no word of a latency", async () => {
  const row = await window.viewRow("test-device (ssh)");
  await row.click();
  await window.page.keyboard.press("ArrowRight");
  await window.page.locator(".pane-body .monaco-list-row", { hasText: "host times" }).first().waitFor();
  await window.page.locator(".pane-body .monaco-list-row", { hasText: "onnxruntime-qnn" }).first().waitFor();
  await window.shot("device-facts");
});

test("the package of the list is verified on the device again", async () => {
  const row = window.page.locator(".pane-body .monaco-list-row", { hasText: "sm8650 · fp16" }).last();
  await row.hover();
  await row.locator('[aria-label^="Verify Again"]').first().click();
  await window.pick("test-device (ssh)");
  await window.notification("Verified: small on ssh:test-device").waitFor({ timeout: 120_000 });
});

test("a device that has become another chip offers to deploy for it, and the button does", async () => {
  writeFileSync(join(told.base, "device.json"), JSON.stringify({ soc: "sm8750" }));
  const row = window.page.locator(".pane-body .monaco-list-row", { hasText: "sm8650 · fp16" }).last();
  await row.hover();
  await row.locator('[aria-label^="Verify Again"]').first().click();
  await window.pick("test-device (ssh)");
  const refused = window.notification("the package was compiled for sm8650 and this device is SM8750");
  await refused.waitFor({ timeout: 120_000 });
  assert.match(await refused.textContent(), /aipc deploy small --soc sm8750 --target ssh:test-device/);
  await window.shot("device-other-chip");
  await window.answer(refused, "Deploy for SM8750");
  await window.deployed("small runs on SM8750 (ssh:test-device)");
  assert.ok(existsSync(join(window.folder, ".aipc/packages/small-sm8750-fp16/manifest.json")));
});
