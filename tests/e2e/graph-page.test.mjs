/** The graph panel's page in a real browser, with a real ONNX file: `node --test tests/e2e/graph-page.test.mjs`. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";
import { ROOT, serveGraphPage } from "./graphPageServer.mjs";

const LARGE = 2400;
const OVERLAY = {
  soc: "sm8650",
  stale: false,
  nodes: {
    "backbone/conv0": { placement: "npu", sqnr_db: 72 },
    "backbone/sigmoid0": { placement: "npu", sqnr_db: 58 },
    "backbone/mul0": { placement: "npu", sqnr_db: 41 },
    "backbone/conv1": { placement: "npu", sqnr_db: 33.4 },
    "head/grid_sample": { placement: "cpu", reason: "no GridSample with this padding" },
    "head/nonzero": { placement: "fails", reason: "the shape of its output depends on values" },
    "head/mod": { placement: "wrong", sqnr_db: 4.5 },
    "head/softmax": { placement: "npu", sqnr_db: 12 },
    "head/cast": { placement: "npu" },
  },
  findings: [
    {
      id: "a",
      rule: "unsupported",
      severity: "error",
      message: "NonZero cannot run on sm8650.",
      nodes: ["head/nonzero"],
    },
    {
      id: "b",
      rule: "wrong-numbers",
      severity: "warning",
      message: "Mod truncates.",
      nodes: ["head/mod", "head/softmax"],
    },
  ],
};

const copy = (value) => JSON.parse(JSON.stringify(value));

let folder, server, browser, page, problems, requests;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "aipc-graph-"));
  const venv = join(ROOT, ".venv/bin/python");
  const python = process.env.AIPC_PYTHON ?? (existsSync(venv) ? venv : "python3");
  execFileSync(python, [join(ROOT, "scripts/copy_netron.py"), join(folder, "netron")]);
  execFileSync(python, [join(ROOT, "tests/e2e/make_graphs.py"), folder, String(LARGE)]);
  server = await serveGraphPage(join(folder, "netron"));
  browser = await chromium.launch({
    executablePath: process.env.AIPC_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 900, height: 640 }, colorScheme: "light" });
  problems = [];
  requests = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.addInitScript(() => {
    let state;
    window.sent = [];
    window.acquireVsCodeApi = () => ({
      postMessage: (message) => window.sent.push(message),
      getState: () => state,
      setState: (value) => (state = value),
    });
  });
  await page.goto(server.url);
});

afterEach(async () => {
  assert.deepEqual(problems, []);
  const elsewhere = requests.filter((url) => !url.startsWith("blob:") && !server.origins.includes(new URL(url).origin));
  assert.deepEqual(elsewhere, []);
  await page.close();
});

async function post(message) {
  await page.evaluate((message) => window.postMessage(message, "*"), message);
}

async function sent(type) {
  return page.evaluate((type) => window.sent.filter((message) => message.type === type), type);
}

async function until(what, holds) {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function open(file, overlay, more = {}) {
  const before = (await sent("opened")).length;
  const bytes = (await readFile(join(folder, file))).toString("base64");
  await page.evaluate(
    ([message, bytes]) => {
      window.postMessage({ ...message, bytes: Uint8Array.from(window.atob(bytes), (c) => c.charCodeAt(0)) }, "*");
    },
    [{ type: "open", name: file, overlay, ...more }, bytes],
  );
  await until("the model is opened", async () => (await sent("opened")).length > before);
  return (await sent("opened")).at(-1);
}

const node = (name) => page.locator(`[id="node-name-${name}"]`);
const drawn = async () => (await page.locator("body").getAttribute("class")).includes("default");
const classes = async (name) => (await node(name).getAttribute("class")).split(" ");
const fill = (name) =>
  node(name)
    .locator(".node-item-type > path")
    .evaluate((path) => window.getComputedStyle(path).fill);
const selected = () =>
  page.locator("#target .graph-node.select").evaluateAll((all) => all.map(({ id }) => id.slice(10)).sort());
const isSelected = (...names) =>
  until(`${names} selected`, async () => String(await selected()) === String(names.sort()));

async function assertColoured() {
  for (const [name, { placement }] of Object.entries(OVERLAY.nodes)) {
    assert.ok((await classes(name)).includes(`aipc-${placement}`), `${name} is ${placement}`);
  }
}

test("nodes are coloured by placement, with a pattern and a badge besides the colour", async () => {
  const { nodes, milliseconds } = await open("small.onnx", OVERLAY);
  assert.equal(nodes, 9);
  assert.ok(milliseconds > 0);
  await assertColoured();
  const colours = await Promise.all(["backbone/conv0", "head/grid_sample", "head/nonzero", "head/mod"].map(fill));
  assert.equal(new Set(colours).size, 4);
  assert.equal(await node("head/grid_sample").locator(".aipc-badge text").textContent(), "CPU");
  assert.equal(await node("backbone/conv0").locator(".aipc-badge").count(), 0);
  const dash = (name) =>
    node(name)
      .locator("> .node-border")
      .evaluate((path) => window.getComputedStyle(path).strokeDasharray);
  assert.equal(await dash("backbone/conv0"), "none");
  assert.notEqual(await dash("head/grid_sample"), "none");
  assert.match(await node("head/nonzero").locator("title").first().textContent(), /depends on values/);
});

test("the legend counts the nodes of each kind and goes to them", async () => {
  await open("small.onnx", OVERLAY);
  const words = await page.locator("#aipc-legend li span").allInnerTexts();
  assert.deepEqual(words, ["NPU", "6", "CPU", "1", "Fails", "1", "Wrong numbers", "1"]);
  await page.locator("#aipc-legend button", { hasText: "CPU" }).click();
  await isSelected("head/grid_sample");
  assert.match(await page.locator("#aipc-finding").innerText(), /no GridSample with this padding/);
});

test("error is a heat scale; latency cannot be chosen when no device measured any", async () => {
  await open("small.onnx", OVERLAY);
  assert.ok(await page.locator("[data-mode=latency]").isDisabled());
  await page.locator("[data-mode=placement]").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("[data-mode=error]").getAttribute("aria-checked"), "true");
  assert.equal(await node("backbone/conv1").locator(".aipc-badge text").textContent(), "33 dB");
  assert.notEqual(await fill("head/mod"), await fill("backbone/conv0"));
  assert.ok((await classes("head/cast")).includes("aipc-none"));
  assert.match(await page.locator("#aipc-legend").innerText(), /not measured 3/);
  const timed = copy(OVERLAY);
  timed.nodes["head/mod"].latency_us = 1530;
  await post({ type: "overlay", overlay: timed });
  await page.locator("[data-mode=latency]:enabled").click();
  assert.equal(await node("head/mod").locator(".aipc-badge text").textContent(), "1.5 ms");
});

test("nodes are selected from outside, and a click on one is told", async () => {
  await open("small.onnx", OVERLAY);
  await post({ type: "select", nodes: ["backbone/conv1", "backbone/mul0"] });
  await isSelected("backbone/conv1", "backbone/mul0");
  assert.deepEqual(await sent("select"), []);
  await node("head/nonzero").locator(".node-item-type").click();
  await until("the click is told", async () => (await sent("select")).length === 1);
  assert.deepEqual(await sent("select"), [{ type: "select", node: "head/nonzero" }]);
  assert.match(await page.locator("#aipc-finding").innerText(), /NonZero cannot run/);
});

test("findings one after another, from the buttons, the keyboard and the host", async () => {
  await open("small.onnx", OVERLAY);
  assert.equal(await page.locator("#aipc-count").innerText(), "2 findings");
  await page.locator("#aipc-next").click();
  await isSelected("head/nonzero");
  await page.keyboard.press("F8");
  await isSelected("head/mod", "head/softmax");
  assert.equal(await page.locator("#aipc-count").innerText(), "2 of 2");
  await page.locator("#aipc-previous").click();
  await isSelected("head/nonzero");
  assert.deepEqual(
    (await sent("finding")).map(({ id }) => id),
    ["a", "b", "a"],
  );
  await post({ type: "finding", id: "b" });
  await isSelected("head/mod", "head/softmax");
  assert.match(await page.locator("#aipc-finding").innerText(), /Mod truncates/);
  assert.equal((await sent("finding")).length, 3);
});

test("search finds findings and nodes, and typing leaves the selection alone", async () => {
  await open("small.onnx", OVERLAY);
  await post({ type: "select", nodes: ["backbone/mul0"] });
  await isSelected("backbone/mul0");
  await page.keyboard.press("Control+f");
  await page.keyboard.type("mod");
  await isSelected("backbone/mul0");
  const options = page.locator("#aipc-results [role=option]");
  assert.deepEqual(await options.locator(".aipc-text").allInnerTexts(), ["Mod truncates.", "head/mod"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await isSelected("head/mod");
  assert.deepEqual(await sent("select"), [{ type: "select", node: "head/mod" }]);
  await page.locator("#aipc-search").fill("nothing like it");
  assert.equal(await page.locator("#aipc-results").innerText(), "Nothing found");
});

test("colours and selection stay when the graph is drawn anew, and change with the overlay", async () => {
  await open("small.onnx", OVERLAY);
  await post({ type: "select", nodes: ["head/cast"] });
  await isSelected("head/cast");
  const old = await node("head/cast").elementHandle();
  await page.locator("#aipc-names").click();
  await until(
    "names are written",
    async () => (await node("head/cast").locator("text").first().textContent()) === "head/cast",
  );
  await until("drawn anew", drawn);
  assert.equal(await old.evaluate((element) => element.isConnected), false);
  await assertColoured();
  await isSelected("head/cast");
  const stale = copy(OVERLAY);
  stale.stale = true;
  stale.nodes["head/nonzero"].placement = "npu";
  await post({ type: "overlay", overlay: stale });
  await until("new colours", async () => (await classes("head/nonzero")).includes("aipc-npu"));
  assert.ok(await page.locator("#aipc-stale").isVisible());
});

test("the page follows the theme of the body's class, not the system's", async () => {
  await open("small.onnx", OVERLAY);
  const scheme = () => page.evaluate(() => window.getComputedStyle(document.documentElement).colorScheme);
  assert.ok((await page.locator("body").getAttribute("class")).includes("vscode-dark"));
  assert.equal(await scheme(), "dark");
  await page.evaluate(() => {
    document.body.classList.remove("vscode-dark");
    document.body.classList.add("vscode-light");
  });
  await until("light", async () => (await scheme()) !== "dark");
  await page.locator("#aipc-names").click();
  await until("drawn anew", drawn);
  assert.ok((await page.locator("body").getAttribute("class")).includes("vscode-light"));
});

test("a large model shows what is near the finding, and more on request", async () => {
  const count = (await open(`branches-${LARGE}.onnx`, null)).nodes;
  assert.ok(count >= LARGE);
  assert.equal(await page.locator("#target .graph-node").count(), 300);
  assert.ok(await page.locator("#aipc-part").isVisible());
  await post({ type: "select", nodes: ["layer100/softmax1206"] });
  await isSelected("layer100/softmax1206");
  assert.deepEqual(await sent("neighbourhood"), []);
});

test("nodes that a part does not have are asked for", async () => {
  const overlay = copy(OVERLAY);
  overlay.nodes["elsewhere/relu"] = { placement: "cpu" };
  await open("small.onnx", overlay, { part: true, total: 5000, focus: "head/mod" });
  await isSelected("head/mod");
  assert.match(await page.locator("#aipc-part").innerText(), /9 of 5000 nodes/);
  await page.locator("#aipc-search").fill("elsewhere");
  await page.keyboard.press("Enter");
  await until("the node is asked for", async () => (await sent("neighbourhood")).length === 1);
  assert.deepEqual(await sent("neighbourhood"), [{ type: "neighbourhood", node: "elsewhere/relu" }]);
});

test("a file that is no model is an error in one sentence, and the page stays usable", async () => {
  await page.evaluate(() =>
    window.postMessage({ type: "open", name: "a.onnx", bytes: new Uint8Array(99), overlay: null }, "*"),
  );
  await until("an error", async () => (await sent("error")).length === 1);
  assert.ok(await page.locator("#aipc-error").isVisible());
  await open("small.onnx", OVERLAY);
  await assertColoured();
  assert.ok(await page.locator("#aipc-error").isHidden());
});

test("the focus stays in the bar when the graph is drawn anew", async () => {
  await open("small.onnx", OVERLAY);
  await page.locator("#aipc-search").focus();
  await open("small.onnx", OVERLAY);
  assert.equal(await page.evaluate(() => document.activeElement.id), "aipc-search");
});
