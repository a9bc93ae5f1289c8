// What the editor's own agents get: tools, skills, the MCP server; and the editor's language models for our agent.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { calls } from "./scriptedModel.mjs";
import { open, packed, workspace } from "./vscode.mjs";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
let window;

before(async () => {
  const settings = { "chat.disableAIFeatures": false, "aipc.lint.enabled": false };
  const folder = workspace("tests/e2e/project", "tests/e2e/agent/tokens.py");
  const project = join(folder, "pyproject.toml");
  const more = '\n[tool.aipc.models.odd]\nentry = "tokens.py:Odd"\ninputs = { tokens = "int32[1,32]" }\n';
  writeFileSync(project, readFileSync(project, "utf8") + more);
  window = await open(folder, { settings, extensions: [packed("tests/e2e/probe")] });
  await window.openFile("tokens.py");
  await window.ready();
});
after(() => window.close());
afterEach((context) => window.keepFailure(context));

async function written(name, seconds = 120) {
  const path = join(window.folder, name);
  for (let tries = 0; tries < seconds * 4 && !existsSync(path); tries += 1) await window.page.waitForTimeout(250);
  await window.page.waitForTimeout(250);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** A call that comes from no chat is confirmed one by one; what a chat's user has allowed is not. */
async function allowUntil(name) {
  const allow = window.page.locator(".monaco-dialog-box .monaco-button").first();
  while (!existsSync(join(window.folder, name))) {
    if (await allow.isVisible()) await allow.click();
    await window.page.waitForTimeout(250);
  }
}

test("every contributed tool is there, with its description, and answers", async () => {
  await window.command("Probe: Tools");
  await allowUntil("tools.json");
  const { tools, answers } = await written("tools.json");
  const wanted = manifest.contributes.languageModelTools.map((tool) => tool.name).sort();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), wanted);
  assert.ok(tools.every((tool) => tool.description.length > 40 && tool.inputSchema.type === "object"));
  const by = (start) => Object.entries(answers).find(([key]) => key.startsWith(start))[1];
  assert.match(by("aipc_ops").text, /"torch\.functional\.einsum"|einsum/);
  const report = JSON.parse(by('aipc_check {"model":"small"}').text);
  assert.equal(report.model, "small");
  assert.ok(report.placement.npu > 0);
  assert.match(by('aipc_check {"model":"../').error, /outside the workspace/);
  assert.ok(JSON.parse(by("aipc_targets").text).targets.some((target) => target.name === "simulator"));
});

test("a push to a device is asked for first, and declining ends it", async () => {
  await window.command("Probe: Push");
  const dialog = window.page.locator(".monaco-dialog-box");
  await dialog.waitFor();
  await window.shot("push-asks");
  assert.match(await dialog.textContent(), /Use a device/);
  assert.match(await dialog.textContent(), /ssh:nowhere\.invalid/);
  await dialog
    .locator(".monaco-button", { hasText: /Cancel|No/ })
    .first()
    .click();
  const { error } = await written("push.json");
  assert.match(error, /cancel/i);
});

test("the MCP server is offered", async () => {
  await window.command("MCP: List Servers");
  const rows = window.page.locator(".quick-input-list .monaco-list-row");
  await rows.filter({ hasText: "AIPC" }).first().waitFor();
  await window.shot("mcp-servers");
  await window.page.keyboard.press("Escape");
});

test("the skills are among the chat's", async () => {
  await window.command("Chat: Configure Skills");
  const rows = window.page.locator(".quick-input-list .monaco-list-row");
  await rows.filter({ hasText: "deploy-to-snapdragon" }).first().waitFor();
  await window.shot("chat-skills");
  const listed = (await rows.allTextContents()).join("\n");
  for (const { path } of manifest.contributes.chatSkills) assert.match(listed, new RegExp(path.split("/").at(-2)));
  await window.page.keyboard.press("Escape");
});

test("the agent works with the editor's own language model, without a key", async () => {
  const edit = (text) => [{ file: "tokens.py", old: "tokens & 1", new: text }];
  const right = 'tokens - 2 * torch.div(tokens, 2, rounding_mode="floor")';
  const script = [calls("try_patch", { title: "compute the parity by a division", edits: edit(right) })];
  writeFileSync(join(window.folder, "script.json"), JSON.stringify(script));
  await window.command("AIPC: Check Model");
  await window.squiggles("warning").first().waitFor({ timeout: 120_000 });
  await window.ready();
  await window.focusEditor();
  await window.lightBulb(14, 16, "Let the agent make this model deployable");
  // The editor asks once whether an extension may use its models.
  const allow = window.page.locator(".monaco-dialog-box .monaco-button", { hasText: "Allow" });
  const panel = window.page.locator(".bulk-edit-panel").first();
  await Promise.race([allow.waitFor({ timeout: 240_000 }), panel.waitFor({ timeout: 240_000 })]);
  if (await allow.isVisible()) await allow.click();
  await panel.waitFor({ timeout: 240_000 });
  await panel.locator(".edit-checkbox, .monaco-checkbox, input[type=checkbox]").first().click();
  await window.page.locator(".monaco-button", { hasText: "Apply" }).first().click();
  await window.notification("Applied:").waitFor({ timeout: 60_000 });
  const { tools } = await written("asked-1.json");
  assert.ok(tools.some((tool) => tool.name === "try_patch"));
});
