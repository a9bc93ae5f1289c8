// A package that is right on its example and wrong on another input: the finding stands at the expression, in the editor.

import assert from "node:assert/strict";
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

test("a failed probe is an error on the line that introduces it, with the input in words", async () => {
  await window.deploy("late");
  await window.deployed("late failed the gate after verify");
  await window.selects("torch.sin(angle)");
  await window.squiggles("error").first().waitFor();
  await window.command("Problems: Focus on Problems View");
  const row = window.page.locator(".markers-panel .monaco-list-row", { hasText: "over its whole range" }).first();
  await row.waitFor();
  assert.match(await row.textContent(), /On `position` over its whole range, 0 to 4999/);
  assert.match(await row.textContent(), /dB SQNR, \d+ wanted/);
  await window.shot("probe-finding");
});
