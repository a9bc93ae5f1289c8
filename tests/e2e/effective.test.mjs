// What is in effect is one answer: the status bar shows the project's chip, the picker starts with it, and inputs are
// remembered without touching what the author wrote for another model.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { open } from "./vscode.mjs";

const AUTHORS =
  '[tool.aipc]\nsoc = "qcs6490"\n\n[tool.aipc.models.Net]\nentry = "a.py:Net"\ninputs = { x = "float32[1,3,8,8]" }\n';
const MODEL =
  "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n" +
  "        self.layer = nn.Linear(4, 4)\n\n    def forward(self, x):\n        return self.layer(x)\n";
let window;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "aipc-e2e-"));
  writeFileSync(join(folder, "pyproject.toml"), AUTHORS);
  for (const name of ["a.py", "b.py"]) writeFileSync(join(folder, name), MODEL);
  window = await open(folder);
  await window.openFile("b.py");
});

after(() => window.close());

test("the status bar and the lens name the project's chip", async () => {
  await window.statusSays(/QCS6490/);
  const lens = window.page.locator(".codelens-decoration").first();
  await lens.waitFor();
  assert.match(await lens.textContent(), /Deploy to QCS6490/);
});

test("inputs go under a new key, and the picker starts with the project's chip", async () => {
  await window.command("AIPC: Deploy to Snapdragon");
  await window.pick("Use these");
  const row = window.page.locator(".quick-input-list .monaco-list-row").first();
  await row.filter({ hasText: "QCS6490" }).waitFor();
  assert.match(await row.textContent(), /as \[tool\.aipc\] in pyproject\.toml says/);
  await window.shot("effective");
  await window.page.keyboard.press("Escape");
  const text = readFileSync(join(window.folder, "pyproject.toml"), "utf8");
  assert.ok(text.startsWith(AUTHORS), text);
  assert.match(text, /\[tool\.aipc\.models\.b_Net\]\nentry = "b\.py:Net"/);
});
