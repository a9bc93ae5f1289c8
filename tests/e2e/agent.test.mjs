// The agent in the editor, with a scripted model behind a real endpoint: the compiler and the numbers decide.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { calls, ScriptedModel } from "./scriptedModel.mjs";
import { open, workspace } from "./vscode.mjs";

const model = new ScriptedModel();
let window;
let original;

function patch(title, text) {
  return calls("try_patch", {
    title,
    edits: [{ file: "tokens.py", old: "        odd = tokens & 1\n", new: `        odd = ${text}\n` }],
  });
}

const WRONG = patch("take half of the token", 'tokens - torch.div(tokens, 2, rounding_mode="floor")');
const RIGHT = patch("compute the parity by a division", 'tokens - 2 * torch.div(tokens, 2, rounding_mode="floor")');

before(async () => {
  const baseUrl = await model.start();
  const settings = {
    "aipc.agent.endpoint": "openai",
    "aipc.agent.baseUrl": baseUrl,
    "aipc.agent.model": "scripted",
    "aipc.agent.inputPrice": 1,
    "aipc.agent.outputPrice": 4,
    "aipc.lint.enabled": false,
  };
  window = await open(workspace("tests/e2e/agent"), { settings });
  original = readFileSync(join(window.folder, "tokens.py"), "utf8");
  await window.openFile("tokens.py");
  await window.ready();
  // The endpoint's key is kept in the secret storage.
  await window.command("AIPC: Set the Agent's Key");
  await window.page.locator(".quick-input-widget input[type=password]").fill("secret-of-the-test");
  await window.page.keyboard.press("Enter");
  await window.notification("The key is kept").waitFor();
  await window.command("AIPC: Check Model");
  await window.squiggles("warning").first().waitFor({ timeout: 120_000 });
  await window.ready();
});
after(async () => {
  await window.close();
  model.close();
});
afterEach((context) => window.keepFailure(context));

async function letTheAgentRewrite() {
  await window.focusEditor();
  await window.lightBulb(14, 16, "Let the agent rewrite this layer");
}

/** The panel that shows what would change. */
function preview() {
  return window.page.locator(".bulk-edit-panel, .pane-body:has(.bulk-edit-panel)").first();
}

/** What needs a confirmation is not ticked at first. */
async function tick() {
  const box = preview().locator(".edit-checkbox, .monaco-checkbox, input[type=checkbox]").first();
  await box.click();
}

async function answerPreview(button) {
  await window.page.locator(".monaco-button", { hasText: button }).first().click();
}

function saved() {
  return readFileSync(join(window.folder, "tokens.py"), "utf8");
}

test("cancelling in the middle leaves nothing", async () => {
  model.play("silence");
  await letTheAgentRewrite();
  const progress = window.notification("Agent on odd");
  await progress.waitFor();
  for (let tries = 0; tries < 300 && model.requests.length === 0; tries += 1) await window.page.waitForTimeout(200);
  assert.equal(model.requests.length, 1);
  await window.shot("agent-asks");
  await progress.locator(".monaco-button, .action-label", { hasText: "Cancel" }).first().click();
  await window.notification("The agent was cancelled. Nothing was changed.").waitFor({ timeout: 30_000 });
  for (let tries = 0; tries < 100 && model.abandoned === 0; tries += 1) await window.page.waitForTimeout(100);
  assert.equal(model.abandoned, 1);
  assert.equal(saved(), original);
  assert.equal(await window.page.locator(".tab.dirty").count(), 0);
});

test("a proposal that the numbers reject is not shown, the next one is a preview with its proof", async () => {
  model.play(WRONG, RIGHT);
  await letTheAgentRewrite();
  const progress = window.notification("Agent on odd");
  await progress.filter({ hasText: /round [12], \d+ tokens, cost 0\.\d+/ }).waitFor({ timeout: 120_000 });
  await window.shot("agent-progress");
  await preview().waitFor({ timeout: 240_000 });
  await window.shot("agent-preview");
  assert.match((await preview().allTextContents()).join(" "), /tokens - 2 \* torch\.div/);
  const proof = window.notification("The agent's change passed every gate");
  await proof.waitFor();
  assert.match(await proof.textContent(), /compute the parity by a division.*compiles for sm8650.*simulator/);
  assert.equal(model.requests.length, 2);
  // What was measured of the first goes back to the model.
  assert.match(JSON.stringify(model.requests[1].body.messages.slice(-1)), /reject|differ|equal|SQNR|dB/i);
  assert.ok(model.requests.every((request) => request.authorization === "Bearer secret-of-the-test"));
});

test("a preview that is discarded leaves no trace", async () => {
  await answerPreview("Discard");
  await window.notification("was not taken. Nothing was changed").waitFor();
  assert.equal(saved(), original);
  assert.equal(await window.page.locator(".tab.dirty").count(), 0);
  await window.squigglesLeft(1);
});

test("accepting it takes the warning away, because the compiler says so, and is one undo step", async () => {
  model.play(WRONG, RIGHT);
  await letTheAgentRewrite();
  await preview().waitFor({ timeout: 240_000 });
  await tick();
  await answerPreview("Apply");
  await window.notification("Applied:").waitFor({ timeout: 60_000 });
  await window.page.locator(".view-line", { hasText: "2 * torch.div" }).waitFor();
  await window.save();
  await window.ready();
  // What is left are notes on how deploy rewrites integers by itself.
  await window.squigglesLeft(0, "warning");
  await window.shot("agent-applied");
  assert.match(saved(), /# One for odd tokens, nought for even ones\.\n {8}odd = tokens - 2 \* torch\.div/);
  await window.focusEditor();
  await window.page.keyboard.press("Control+Z");
  await window.page.locator(".view-line", { hasText: "odd = tokens & 1" }).waitFor();
  await window.save();
  await window.page.locator(".tab.dirty").waitFor({ state: "detached" });
  assert.equal(saved(), original);
  await window.ready();
  await window.squigglesLeft(1);
});

test("the trace can be read afterwards, and has no secret in it", async () => {
  await window.command("AIPC: Show a Trace of the Agent");
  await window.pick("finding");
  const page = await window.webview();
  await page.locator("body", { hasText: "compute the parity by a division" }).waitFor();
  assert.doesNotMatch(await page.locator("body").textContent(), /secret-of-the-test/);
  await window.shot("agent-trace");
});
