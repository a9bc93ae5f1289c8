import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command: string }[]>;
    configuration: { properties: Record<string, { markdownDescription?: string; scope?: string; default: unknown }> };
    walkthroughs: { steps: { media: { markdown: string }; completionEvents: string[] }[] }[];
    viewsWelcome: { contents: string }[];
  };
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
}

const root = new URL("../../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf-8")) as Manifest;
const declared = new Set(manifest.contributes.commands.map(({ command }) => command));

function sources(directory: URL): string {
  return readdirSync(directory, { withFileTypes: true })
    .map((entry) => {
      const path = new URL(entry.name + (entry.isDirectory() ? "/" : ""), directory);
      return entry.isDirectory() ? sources(path) : readFileSync(path, "utf-8");
    })
    .join("\n");
}
const source = sources(new URL("extension/src/", root));

test("every declared command is implemented, and every implemented one is declared", () => {
  const implemented = new Set(
    [...source.matchAll(/(?:id: |registerCommand\()"(aipc\.[a-zA-Z]+)"/g)].map(([, id]) => id),
  );
  assert.deepEqual([...declared].sort(), [...implemented].sort());
});

test("menus, walkthroughs and welcome views name commands that exist", () => {
  const { menus, walkthroughs, viewsWelcome } = manifest.contributes;
  const named = Object.values(menus).flatMap((items) => items.map(({ command }) => command));
  const texts = [...viewsWelcome.map(({ contents }) => contents), JSON.stringify(walkthroughs)].join("\n");
  for (const [, command] of texts.matchAll(/(?:command:|onCommand:)(aipc\.[a-zA-Z]+)/g)) named.push(command ?? "");
  for (const command of named) assert.ok(declared.has(command), command);
});

test("every setting is documented, has a scope, and those that matter are restricted", () => {
  const { properties } = manifest.contributes.configuration;
  for (const [name, { markdownDescription, scope }] of Object.entries(properties)) {
    assert.ok(markdownDescription, name);
    assert.ok(scope, name);
  }
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.ok(restrictedConfigurations.includes("aipc.interpreter"));
  for (const name of restrictedConfigurations) assert.ok(name in properties, name);
});

test("settings that the code reads are declared", () => {
  const { properties } = manifest.contributes.configuration;
  const read = [...source.matchAll(/get(?:<[a-z]+>)?\("((?:check|deploy|inlayHints|codeLens)\.[a-zA-Z]+)"/g)].map(
    ([, name]) => `aipc.${name ?? ""}`,
  );
  assert.ok(read.length > 0);
  for (const name of read) assert.ok(name in properties, name);
});

test("the walkthrough's pages exist", () => {
  for (const { steps } of manifest.contributes.walkthroughs)
    for (const { media } of steps) assert.ok(existsSync(new URL(media.markdown, root)), media.markdown);
});
