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

/** Processes of the language server of one VS Code and everything that they started. */
function servers(window) {
  const lines = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf-8" }).split("\n");
  return lines
    .filter((line) => line.includes(window.home) && line.includes("bundled/start.py"))
    .map((line) => Number.parseInt(line, 10));
}

test("a server that dies comes back by itself, and nothing outlives the window", async () => {
  const window = await open(workspace("tests/e2e/project"));
  await window.openFile("small.py");
  await window.ready();
  const [first] = servers(window);
  process.kill(first, "SIGKILL");
  await window.page.waitForTimeout(1_000);
  await window.ready();
  await window.page.locator(".codelens-decoration", { hasText: "Check small" }).waitFor();
  const [second] = servers(window);
  assert.ok(second && second !== first, `${first} ${second}`);
  await window.command("AIPC: Check Model");
  await window.pick("wrong");
  await window.close();
  for (let tries = 0; tries < 120 && servers(window).length > 0; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 250));
  assert.deepEqual(servers(window), []);
});

test("a newcomer reaches a first finding through the bundled example", async () => {
  await within({}, async (window) => {
    await window.command("AIPC: Open the Example");
    await window.page.locator(".tab.active", { hasText: "model.py" }).waitFor();
    await window.command("AIPC: Check Model");
    await window.page.locator(".squiggly-warning").nth(2).waitFor({ timeout: 120_000 });
    assert.deepEqual(await window.underlined(), [
      'torch.einsum("bmchw,bnmc->bnchw", frames, links)',
      "self.norm(features)",
      'F.pad(features, (1, 1, 1, 1), mode="circular")',
    ]);
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
