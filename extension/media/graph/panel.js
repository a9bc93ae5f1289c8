/**
 * The graph panel: Netron's viewer with our overlay, driven by messages.
 *
 * From the editor: open {name, bytes, overlay, part, total, focus}, overlay {overlay}, select {nodes}, finding {id}.
 * To the editor: ready, opened {nodes, milliseconds}, select {node}, neighbourhood {node}, finding {id},
 * error {message}.
 *
 * Of a graph of more than 1,500 nodes the editor sends a neighbourhood at a time: the viewer's layout takes seconds
 * for more, and a drawing of thousands of boxes helps nobody.
 */

import { Bar } from "./bar.js";
import { createNetron } from "./netronHost.js";
import { Overlay } from "./overlay.js";
import { followTheme } from "./theme.js";

const root = document.body.dataset.netron;
const editor = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : window.parent;
const post = (message) => (editor === window.parent ? editor.postMessage(message, "*") : editor.postMessage(message));

await followTheme([`${root}page.css`, `${root}grapher.css`]);

const state = { part: false, total: 0, busy: "" };
const { host, view } = await createNetron(root, {
  onError: (message) => post({ type: "error", message }),
  onBusy: (text) => {
    state.busy = text && "Laying out a large graph …";
    tell();
  },
});
const overlay = new Overlay(() => view.target);
const bar = new Bar(overlay, {
  onMode: (mode) => {
    overlay.mode = mode;
    overlay.paint();
    bar.show();
  },
  onFinding: showFinding,
  onSearch: search,
});
document.body.append(bar.element, bar.note);
bar.show();
bar.say("Loading …");

// The viewer draws anew on its own account (options, sub-graphs): colours and listeners go on again.
const render = view.render.bind(view);
view.render = async (...args) => {
  const status = await render(...args);
  attach();
  return status;
};

function attach() {
  view.target?.on("selectionchange", (graph, source) => {
    if (source !== "target") return;
    const [element] = graph.selection;
    const name = element?.value?.name;
    if (name) post({ type: "select", node: name });
  });
  overlay.paint();
}

async function open({ name, bytes, overlay: data, part, total, focus }) {
  const started = performance.now();
  Object.assign(state, { part: Boolean(part), total: total ?? 0 });
  overlay.data = data ?? null;
  bar.at = -1;
  // As long as the viewer is hidden it cannot measure its boxes.
  const buffer = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  await host.open(name, buffer);
  overlay.paint();
  bar.show();
  tell();
  if (focus) overlay.select([focus]);
  else if (part && data?.findings[0]) overlay.select(data.findings[0].nodes);
  post({ type: "opened", nodes: overlay.nodes().size, milliseconds: Math.round(performance.now() - started) });
}

function tell() {
  const notes = [];
  if (state.busy) notes.push(state.busy);
  if (overlay.data?.stale) notes.push("The source has changed since the check: colours are from before.");
  if (state.part)
    notes.push(
      `A part of the model: ${overlay.nodes().size} of ${state.total} nodes. Choose a finding or search for a node to see another.`,
    );
  bar.say(notes.join(" "));
}

function select(nodes) {
  if (overlay.select(nodes) === 0 && state.part && nodes[0]) post({ type: "neighbourhood", node: nodes[0] });
}

function showFinding(finding) {
  if (!finding) return;
  select(finding.nodes);
  post({ type: "finding", id: finding.id });
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return;
  const finding = overlay.data?.findings.find(
    ({ message, rule }) => message.toLowerCase().includes(wanted) || rule.includes(wanted),
  );
  if (finding) return showFinding(bar.goTo(finding.id));
  const names = Object.keys(overlay.data?.nodes ?? {});
  const name =
    names.find((one) => one.toLowerCase() === wanted) ?? names.find((one) => one.toLowerCase().includes(wanted));
  if (!name) return bar.say(`Nothing is called “${text}”.`);
  select([name]);
  post({ type: "select", node: name });
}

window.addEventListener("message", ({ data }) => {
  if (data?.type === "open") open(data).catch((error) => post({ type: "error", message: String(error) }));
  if (data?.type === "overlay") {
    overlay.data = data.overlay;
    overlay.paint();
    bar.show();
    tell();
  }
  if (data?.type === "select") select(data.nodes);
  if (data?.type === "finding") showFinding(bar.goTo(data.id));
});
post({ type: "ready" });
