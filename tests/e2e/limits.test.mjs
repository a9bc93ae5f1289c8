// What the extension says where it cannot work: Restricted Mode, no interpreter, an interpreter without QAIRT.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { open, workspace } from "./vscode.mjs";

async function within(options, body) {
  const window = await open(workspace("tests/e2e/project"), options);
  try {
    await window.openFile("small.py");
    await body(window);
  } finally {
    await window.close();
  }
}

test("in Restricted Mode no code runs, and the extension says what is off", async () => {
  await within({ trusted: false }, async (window) => {
    await window.statusSays(/restricted/);
    await window.command("AIPC: Deploy to Snapdragon");
    const warning = window.notification("This workspace is in Restricted Mode");
    await warning.waitFor();
    assert.match(await warning.textContent(), /trust the workspace/);
    await window.type("# a comment\n", { line: 1 });
    await window.save();
    await window.page.waitForTimeout(2_000);
    assert.equal(await window.squiggles("warning").count(), 0);
    assert.equal(existsSync(join(window.folder, ".aipc")), false);
    await window.shot("restricted");
  });
});

test("without an interpreter the status says so and offers to choose one", async () => {
  await within({ settings: { "aipc.interpreter": "/nowhere/python" } }, async (window) => {
    await window.statusSays(/no Python/);
    await window.command("AIPC: Doctor");
    const error = window.notification("There is no Python at /nowhere/python");
    await error.waitFor();
    assert.match(await error.textContent(), /Select Interpreter/);
  });
});

test("an interpreter without QAIRT is named, with what brings it", async () => {
  const environment = join(mkdtempSync(join(tmpdir(), "aipc-bare-")), "venv");
  execFileSync("python3", ["-m", "venv", "--without-pip", environment]);
  await within({ settings: { "aipc.interpreter": join(environment, "bin", "python") } }, async (window) => {
    await window.statusSays(/no QAIRT here/);
    await window.command("AIPC: Doctor");
    await window.page.locator(".quick-input-list .monaco-list-row", { hasText: "Install what is missing" }).waitFor();
    const rows = await window.page.locator(".quick-input-list .monaco-list-row").allTextContents();
    assert.ok(
      rows.some((row) => /onnxruntime-qnn/.test(row) && /not installed/.test(row)),
      rows.join("\n"),
    );
    await window.shot("doctor");
  });
});
