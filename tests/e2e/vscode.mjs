// A real VS Code in a real browser: installed from npm into .vscode-test/, driven through headless Chromium.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const INSTALLED = join(ROOT, ".vscode-test", "node_modules", "code-server");
const NODE = join(ROOT, "node_modules", "node", "bin", "node");
export const PYTHON = join(ROOT, ".venv", "bin", "python");
export const SHOTS = process.env.AIPC_SCREENSHOTS ?? join(ROOT, "test-results");
const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.tips.enabled": false,
  "window.autoDetectColorScheme": false,
  "extensions.ignoreRecommendations": true,
  "editor.minimap.enabled": false,
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "files.autoSave": "off",
  "security.workspace.trust.startupPrompt": "never",
  "security.workspace.trust.banner": "never",
  "aipc.interpreter": PYTHON,
};

/** A workspace with copies of files and of folders' contents of the repository, in a directory of its own. */
export function workspace(...from) {
  const directory = mkdtempSync(join(tmpdir(), "aipc-e2e-"));
  for (const path of from) {
    const source = join(ROOT, path);
    const to = statSync(source).isDirectory() ? directory : join(directory, basename(source));
    cpSync(source, to, { recursive: true, filter: (name) => !name.includes(".aipc") });
  }
  return directory;
}

/** Another extension of the tests, packed. */
export function packed(path) {
  const file = join(mkdtempSync(join(tmpdir(), "aipc-vsix-")), "extension.vsix");
  const vsce = join(ROOT, "node_modules", "@vscode", "vsce", "vsce");
  const options = ["--no-dependencies", "--allow-missing-repository", "--out", file];
  execFileSync(NODE, [vsce, "package", ...options], { cwd: join(ROOT, path), stdio: "pipe" });
  return file;
}

/** Start VS Code on a folder, with the packed extension installed, and open it in a browser. */
export async function open(
  folder,
  { settings = {}, trusted = true, theme, width = 1400, height = 850, cache, extensions = [] } = {},
) {
  const home = mkdtempSync(join(tmpdir(), "aipc-vscode-"));
  const user = join(home, "user");
  const all = { ...SETTINGS, ...(theme ? { "workbench.colorTheme": theme } : {}), ...settings };
  // A browser's window is a remote one: what belongs to a machine is read from its own file.
  for (const scope of ["User", "Machine"]) {
    mkdirSync(join(user, scope), { recursive: true });
    writeFileSync(join(user, scope, "settings.json"), JSON.stringify(all));
  }
  const entry = join(INSTALLED, "out", "node", "entry.js");
  const common = ["--user-data-dir", user, "--extensions-dir", join(home, "extensions")];
  for (const file of [join(ROOT, "dist", "aipc.vsix"), ...extensions])
    execFileSync(NODE, [entry, ...common, "--install-extension", file], { stdio: "pipe" });
  const port = await freePort();
  const trust = trusted ? ["--disable-workspace-trust"] : [];
  const args = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
  const server = spawn(NODE, [entry, ...args, ...common, ...trust, folder], {
    env: { ...process.env, AIPC_CACHE_DIR: cache ?? process.env.AIPC_CACHE_DIR ?? join(home, "cache") },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (data) => (output += data));
  const address = `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`;
  await answers(`http://127.0.0.1:${port}/healthz`, () => output);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: CHROMIUM });
  const context = await browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const window = new Window(page, { address, folder, home, user, server, browser });
  await window.load();
  return window;
}

class Window {
  constructor(page, parts) {
    this.page = page;
    Object.assign(this, parts);
  }

  async load() {
    await this.page.goto(this.address);
    await this.page.waitForSelector(".monaco-workbench .statusbar", { timeout: 90_000 });
  }

  /** Run a command of the palette by its title. */
  async command(title) {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-widget input[type=text], .quick-input-widget .input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(`>${title}`);
    await this.pick(title);
  }

  /** Choose an entry of the quick pick that is open. Its rows are used anew while it fills: it has to be at rest. */
  async pick(text) {
    const rows = this.page.locator(".quick-input-list .monaco-list-row");
    await rows.filter({ hasText: text }).first().waitFor({ state: "visible" });
    for (let before, now = ""; before !== now || !now.includes(text);) {
      await this.page.waitForTimeout(250);
      [before, now] = [now, (await rows.allTextContents()).join("\n")];
    }
    await rows.filter({ hasText: text }).first().click();
  }

  async openFile(name, { text = true } = {}) {
    await this.page.keyboard.press("Control+P");
    const input = this.page.locator(".quick-input-widget .input").first();
    await input.waitFor({ state: "visible" });
    await input.fill(name);
    await this.pick(name.split("/").pop());
    await this.page.locator(".tab.active", { hasText: name.split("/").pop() }).waitFor();
    if (text) await this.page.locator(".editor-instance .view-line").first().waitFor();
  }

  async goTo(line, column = 1) {
    await this.page.keyboard.press("Control+G");
    await this.page.locator(".quick-input-widget .input").first().fill(`:${line}:${column}`);
    await this.page.keyboard.press("Enter");
  }

  async save() {
    await this.page.keyboard.press("Control+S");
  }

  status() {
    return this.page.locator('.statusbar-item[id="aipc.aipc.aipc.status"], .statusbar-item[id*="aipc.status"]').first();
  }

  /** Wait until the status bar no longer says that something starts or is checked. */
  async ready(seconds = 120) {
    await this.page.waitForFunction(
      () => {
        const item = document.querySelector('.statusbar-item[id*="aipc.status"]');
        return item && !/starting|checking/.test(item.textContent ?? "");
      },
      undefined,
      { timeout: seconds * 1000 },
    );
  }

  squiggles(kind) {
    return this.page.locator(`.squiggly-${kind}`);
  }

  /** Wait until as many squiggles are there, of one severity where it is named. */
  async squigglesLeft(count, severity = "") {
    await this.page.waitForFunction(
      ([wanted, kind]) => document.querySelectorAll(`.cdr[class*=squiggly${kind}]`).length === wanted,
      [count, severity && `-${severity}`],
    );
  }

  /** Wait for what the status bar item says. */
  async statusSays(pattern, seconds = 60) {
    await this.page.waitForFunction(
      (source) =>
        new RegExp(source).test(document.querySelector('.statusbar-item[id*="aipc.status"]')?.textContent ?? ""),
      pattern.source,
      { timeout: seconds * 1000 },
    );
  }

  async focusEditor() {
    await this.command("View: Focus First Editor Group");
  }

  /** Choose from the light bulb's menu at a place. Results that arrive meanwhile close the menu: it is opened again. */
  async lightBulb(line, column, title) {
    const row = this.page.locator(".action-widget .monaco-list-row", { hasText: title }).first();
    for (let tries = 0; ; tries += 1) {
      await this.goTo(line, column);
      await this.page.keyboard.press("Control+.");
      try {
        await row.click({ timeout: 8_000 });
        return;
      } catch (error) {
        if (tries === 5) throw error;
        await this.page.keyboard.press("Escape");
      }
    }
  }

  /** Type at the start of a line. */
  async type(text, { line }) {
    await this.goTo(line, 1);
    await this.page.keyboard.insertText(text);
  }

  async replaceLine(line, text) {
    await this.focusEditor();
    await this.goTo(line, 1);
    await this.page.keyboard.press("End");
    await this.page.keyboard.press("Shift+Home");
    await this.page.keyboard.press("Shift+Home");
    await this.page.keyboard.insertText(text);
  }

  /** The texts that squiggles stand under, from top to bottom. */
  underlined() {
    return this.page.evaluate(textsUnder, ".cdr[class*=squiggly]");
  }

  /** The text of the hover over a word. */
  async hoverOver(word) {
    await this.page.locator(".view-line span", { hasText: word }).last().hover();
    const hover = this.page.locator(".monaco-hover:visible .hover-contents, .monaco-resizable-hover:visible").first();
    await hover.waitFor();
    await this.page.waitForTimeout(500);
    return (await this.page.locator(".monaco-resizable-hover:visible, .monaco-hover:visible").allTextContents()).join(
      "\n",
    );
  }

  /** What stands at the ends of lines. */
  async hints() {
    const texts = await this.page.locator('.view-line span[class*="dyn-rule"]').allTextContents();
    return texts.map((text) => text.replaceAll("\u00a0", " ").replaceAll("\u200c", "").trim()).filter(Boolean);
  }

  /** Wait until these stand at ends of lines: what is typed brings its squiggles at once, what is compiled comes later. */
  async showsHints(wanted, seconds = 60) {
    let found = [];
    for (let tries = 0; tries < seconds * 5; tries += 1) {
      found = await this.hints();
      if (wanted.every((text) => found.includes(text))) return;
      await this.page.waitForTimeout(200);
    }
    throw new Error(`the ends of lines say ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  }

  /** Wait until the editor selects this text. */
  async selects(text, seconds = 30) {
    let found = "";
    for (let tries = 0; tries < seconds * 5; tries += 1) {
      found = (await this.page.evaluate(textsUnder, ".selected-text"))[0] ?? "";
      if (found === text) return;
      await this.page.waitForTimeout(200);
    }
    throw new Error(`the editor selects ${JSON.stringify(found)}, not ${JSON.stringify(text)}`);
  }

  async theme(name) {
    await this.command("Preferences: Color Theme");
    await this.page
      .locator(".quick-input-widget .input")
      .first()
      .fill(name.replace(/^Default /, ""));
    await this.page
      .locator(".quick-input-list .monaco-list-row", { hasText: name.replace(/^Default /, "") })
      .first()
      .click();
  }

  /** Ask for a deployment as a user does: which model, where, and in which number format. */
  async deploy(model, place = "SM8650", format = "fp16") {
    await this.command("AIPC: Deploy to Snapdragon");
    for (const choice of [model, place, format]) await this.pick(choice);
  }

  /** What the notification says at the end of a deployment, whose first words these are. */
  async deployed(words, seconds = 180) {
    const done = this.notification(words);
    await done.waitFor({ timeout: seconds * 1000 });
    return done;
  }

  /** Wait until each line of the editor says how far its nodes are from PyTorch. */
  async inlineValues(seconds = 120) {
    await this.page.waitForFunction(
      () => [...document.querySelectorAll(".view-line")].some((line) => /NPU.*(dB|exact)/.test(line.textContent)),
      undefined,
      { timeout: seconds * 1000 },
    );
  }

  /** Show AIPC's views; the first row in them that has these words. */
  async viewRow(words) {
    await this.command("View: Show AIPC");
    const row = this.page.locator(".pane-body .monaco-list-row", { hasText: words }).first();
    await row.waitFor();
    return row;
  }

  /** Click a button of a notification. */
  async answer(notification, label) {
    await notification.locator(".monaco-button, .action-label", { hasText: label }).first().click();
  }

  notification(text) {
    return this.page.locator(".notification-toast", { hasText: text }).first();
  }

  /** A picture of what a test that failed saw last. */
  async keepFailure(context) {
    if (!context.passed) await this.shot(`failed ${context.name}`.replaceAll(/[^a-z0-9]+/gi, "-"));
  }

  async shot(name) {
    mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }

  /** The document inside the frames of the webview that is in front, the last one of several. */
  async webview() {
    const handle = await this.page.waitForFunction(() => {
      const frames = [...document.querySelectorAll("iframe.webview.ready")];
      const index = frames.findLastIndex((frame) => window.getComputedStyle(frame).visibility === "visible");
      return index < 0 ? false : { index };
    });
    const { index } = await handle.jsonValue();
    return this.page.locator("iframe.webview.ready").nth(index).contentFrame().frameLocator("#active-frame");
  }

  graph() {
    return this.webview();
  }

  async close({ keep = false } = {}) {
    await this.browser.close();
    try {
      process.kill(-this.server.pid, "SIGTERM");
    } catch {
      // It is gone.
    }
    if (!keep) setTimeout(() => rmSync(this.home, { recursive: true, force: true }), 3000);
  }
}

/** In the page: the texts under marks, from top to bottom, read from where both are drawn. */
function textsUnder(selector) {
  const marks = [...document.querySelectorAll(selector)].map((mark) => mark.getBoundingClientRect());
  marks.sort((a, b) => a.top - b.top);
  const lines = [...document.querySelectorAll(".view-lines .view-line")];
  return marks.map((mark) => {
    const line = lines.find((one) => Math.abs(one.getBoundingClientRect().top - mark.top) < 6);
    let text = "";
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (let index = 0; index < node.length; index += 1) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + 1);
        const box = range.getBoundingClientRect();
        const middle = (box.left + box.right) / 2;
        if (middle > mark.left && middle < mark.right) text += node.data[index];
      }
    }
    return text.replaceAll("\u00a0", " ");
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function answers(address, said) {
  for (let tries = 0; tries < 240; tries += 1) {
    try {
      if ((await fetch(address)).ok) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  throw new Error(`VS Code does not answer: ${said()}`);
}

export function installed() {
  return existsSync(INSTALLED) && existsSync(join(ROOT, "dist", "aipc.vsix"));
}
