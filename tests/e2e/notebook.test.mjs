// Findings in the cells of a notebook, before anything runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { open, workspace } from "./vscode.mjs";

test("a finding stands on the expression of its cell, which knows the imports of another cell", async () => {
  const window = await open(workspace("tests/e2e/notebook"));
  try {
    await window.openFile("model.ipynb", { text: false });
    const cells = window.page.locator(
      ".notebookOverlay .cell-list-container .cell.code, .notebookOverlay .code-cell-row",
    );
    await cells.first().waitFor();
    const squiggle = window.page.locator(".notebookOverlay .squiggly-info");
    await squiggle.first().waitFor({ timeout: 120_000 });
    assert.equal(await squiggle.count(), 1);
    await window.command("View: Focus Problems");
    const problem = window.page.locator(".markers-panel .monaco-list-row", { hasText: "pad-mode" });
    await problem.waitFor();
    assert.match(await problem.textContent(), /\[Ln 3, Col 16\]/);
    await window.shot("notebook-cell");
  } finally {
    await window.close();
  }
});
