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
    chatSkills: { path: string }[];
    languageModelTools: { name: string; modelDescription: string; inputSchema: { type: string } }[];
    mcpServerDefinitionProviders: { id: string }[];
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
    [...source.matchAll(/(?:id: |registerCommand\()"(aipc\.[a-zA-Z.]+)"/g)].map(([, id]) => id),
  );
  assert.deepEqual([...declared].sort(), [...implemented].sort());
});

test("menus, walkthroughs and welcome views name commands that exist", () => {
  const { menus, walkthroughs, viewsWelcome } = manifest.contributes;
  const named = Object.values(menus).flatMap((items) => items.map(({ command }) => command));
  const texts = [...viewsWelcome.map(({ contents }) => contents), JSON.stringify(walkthroughs)].join("\n");
  for (const [, command] of texts.matchAll(/(?:command:|onCommand:)(aipc\.[a-zA-Z.]+)/g)) named.push(command ?? "");
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

test("every chat skill is where the manifest says, and its name is that of its folder", () => {
  const { chatSkills } = manifest.contributes;
  assert.ok(chatSkills.length >= 6);
  for (const { path } of chatSkills) {
    const text = readFileSync(new URL(path, root), "utf-8");
    const name = /^name: (.*)$/m.exec(text)?.[1] ?? "";
    const description = /^description: (.*)$/m.exec(text)?.[1] ?? "";
    assert.match(path, new RegExp(`^\\./skills/${name}/SKILL\\.md$`));
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(name.length <= 64 && description.length > 0 && description.length <= 1024, name);
  }
});

test("tools and the MCP server that are contributed are registered", () => {
  const { languageModelTools, mcpServerDefinitionProviders } = manifest.contributes;
  assert.ok(languageModelTools.length >= 10);
  for (const tool of languageModelTools) {
    assert.match(tool.name, /^aipc_[a-z_]+$/);
    assert.ok(tool.modelDescription.length > 40 && tool.inputSchema.type === "object", tool.name);
  }
  assert.match(source, /lm\.registerTool\(/);
  for (const { id } of mcpServerDefinitionProviders) assert.ok(source.includes(`"${id}"`), id);
});

test("nothing of the agent that reaches a model can be set by a workspace", () => {
  const { properties } = manifest.contributes.configuration;
  for (const name of ["endpoint", "editorModel", "baseUrl", "model"])
    assert.equal(properties[`aipc.agent.${name}`]?.scope, "machine", name);
});
