// Every usual way to declare a model has its lenses, and no lens is a dead end.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { open } from "./vscode.mjs";

const BASE = `import torch.nn as layers


class Base(layers.Module):
    def forward(self, x):
        return self.layer(x)
`;
const MODEL = `import timm
from torch import nn

from base import Base


class Block(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Conv2d(3, width, 1), nn.ReLU())


class Net(Base):
    def __init__(self):
        super().__init__()
        self.layer = Block(4)


class Head(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.layer = nn.Linear(4, classes)

    def forward(self, x):
        return self.layer(x)


def tiny():
    return timm.create_model("resnet10t", pretrained=False)


net = nn.Sequential(nn.Conv2d(3, 4, 1)).eval()
`;
const SCRIPT = `import argparse

from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("data")
arguments = parser.parse_args()


class Net(nn.Module):
    def forward(self, x):
        return x
`;
let window;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "aipc-e2e-"));
  writeFileSync(join(folder, "base.py"), BASE);
  writeFileSync(join(folder, "model.py"), MODEL);
  writeFileSync(join(folder, "script.py"), SCRIPT);
  writeFileSync(join(folder, "notes.txt"), "no model\n");
  window = await open(folder);
  await window.openFile("model.py");
  await window.ready();
});
after(() => window.close());
afterEach((context) => window.keepFailure(context));

test("classes, factories and instances have lenses; a block has that of its model", async () => {
  const lens = (text) => window.page.locator(".codelens-decoration", { hasText: text }).first();
  for (const text of [
    "Check Net, which contains Block",
    "Check Net",
    "Head needs classes: write a factory",
    "Check tiny",
    "Check net",
  ])
    await lens(text).waitFor();
  await window.shot("model-lenses");
});

test("a model is typed where no model is open", async () => {
  await window.openFile("notes.txt");
  await window.command("AIPC: Check Model");
  const input = window.page.locator(".quick-input-widget .input").first();
  await input.fill("model.py:net");
  await window.shot("model-typed");
  await window.page.keyboard.press("Enter");
  await window.pick("Use these");
  await window.statusSays(/checking/);
  await window.ready();
  assert.match(readFileSync(join(window.folder, "pyproject.toml"), "utf8"), /entry = "model\.py:net"/);
});

test("the lens of a model that needs arguments writes a function that builds it", async () => {
  await window.openFile("model.py");
  await window.page.locator(".codelens-decoration a", { hasText: "write a factory" }).click();
  await window.page.locator(".view-line", { hasText: "make_head" }).waitFor();
  await window.page.waitForTimeout(500);
  await window.page.keyboard.insertText("10");
  await window.save();
  await window.page.locator(".codelens-decoration", { hasText: "Check make_head | Deploy" }).waitFor();
  await window.shot("model-factory");
  const text = readFileSync(join(window.folder, "model.py"), "utf8");
  assert.ok(text.endsWith(".eval()\n\n\ndef make_head():\n    return Head(classes=10)\n"), text);
});

test("a script that ends when it is imported is said to, on its line, and no shape is asked for", async () => {
  await window.openFile("script.py");
  await window.page.locator(".codelens-decoration a", { hasText: "Check Net" }).click();
  const problem = window.notification("script.py ends the program when it is imported");
  await problem.waitFor();
  assert.match(await problem.textContent(), /Put what only a script does below if __name__ == "__main__":/);
  await window.selects("parser.parse_args()");
  await window.shot("problem-argparse");
});
