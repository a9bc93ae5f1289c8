/** The graph page as a webview shows it: the page at one origin, its resources at another, with the page's own CSP. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MEDIA = join(ROOT, "extension/media/graph");
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };

async function listen(answer) {
  const server = createServer((request, response) => {
    answer(new URL(request.url, "http://localhost").pathname).then(
      ({ type, body }) =>
        response.writeHead(200, { "Content-Type": type, "Access-Control-Allow-Origin": "*" }).end(body),
      () => response.writeHead(404, { "Access-Control-Allow-Origin": "*" }).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function compiled() {
  const source = await readFile(join(ROOT, "extension/src/views/graphHtml.ts"), "utf-8");
  const { code } = await transform(source, { loader: "ts", format: "esm" });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
}

/**
 * @param {string} netron folder that scripts/copy_netron.py wrote
 * @returns the address of the page; `?theme` names the class that VS Code gives the body
 */
export async function serveGraphPage(netron, theme = "vscode-dark") {
  const { graphHtml } = await compiled();
  const resources = await listen(async (path) => {
    const [, first, ...rest] = normalize(path).split("/");
    const file = first === "netron" ? join(netron, ...rest) : join(MEDIA, first, ...rest);
    return { type: TYPES[extname(file)] ?? "text/plain", body: await readFile(file) };
  });
  const page = await listen(async (path) => {
    if (path !== "/") throw new Error("no such page");
    const html = graphHtml({
      cspSource: resources.origin,
      nonce: "bm9uY2U",
      asUri: (path) => `${resources.origin}/${path}`,
    });
    return { type: "text/html", body: html.replace('class="welcome', `class="${theme} welcome`) };
  });
  return {
    url: `${page.origin}/`,
    origins: [page.origin, resources.origin],
    close() {
      page.close();
      resources.close();
    },
  };
}
