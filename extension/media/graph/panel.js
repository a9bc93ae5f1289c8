/**
 * The graph panel: Netron's viewer with our overlay, and the messages between it and the extension host.
 *
 * Host to page:
 *   {type: "open", name, bytes, overlay, part?, total?, focus?}   a model; `part` when it is only the neighbourhood of
 *                                                      some nodes of one with `total` nodes; `focus` names a node to go to
 *   {type: "overlay", overlay}                         new colours and findings for the same model
 *   {type: "select", nodes: [name]}                    the cursor is on the line that made these nodes
 *   {type: "finding", id}                              go to a finding
 * Page to host:
 *   {type: "ready"}, {type: "opened", nodes, milliseconds}, {type: "error", message}
 *   {type: "select", node}, {type: "finding", id}      the user went to a node or to a finding
 *   {type: "neighbourhood", node}                      the user wants a node that is not in the part that was sent
 *
 * overlay = null for a model that was not checked, else {soc, stale, nodes: {[name]: {placement, reason?, sqnr_db?,
 * latency_us?}}, findings: [{id, rule, severity, message, nodes: [name]}]}, for the whole model even when a part is open.
 *
 * Large models. Netron lays graphs out in a worker, but builds and measures every element in the page. Seconds until the
 * graph is shown, and the longest time that the page did not react, on two cores without a GPU:
 *
 *                                 500 nodes     1000         1500          3000
 *   synthetic chain               0.5 / 0.1     0.9 / 0.2    1.0 / 0.3      2.1 / 0.6
 *   synthetic transformer blocks  1.0 / 0.2     1.6 / 0.5    2.1 / 0.8      3.7 / 1.4
 *   a Swin transformer            1.9 / 0.7     5.9 / 0.8   14.9 / 1.6     62.3 / 4.6   (4900: the page crashed)
 *
 * So up to LARGE nodes everything is drawn (a long layout can be cancelled). Of more, only the NEAR nodes nearest to the
 * one of interest are drawn (of the Swin's 4900 in 0.9 s), and choosing a node that is not among them draws those around
 * it. Nodes that the page was never sent it asks the host for; of a part, the host opens a finding's neighbourhood itself
 * when it is told of the finding.
 */

import { near } from "./neighbourhood.js";
import { createNetron } from "./netronHost.js";
import { Overlay } from "./overlay.js";
import { Search } from "./search.js";
import { followTheme } from "./theme.js";
import { Toolbar } from "./toolbar.js";

const LARGE = 1500;
const NEAR = 300;
const SETTLE_MS = 300;

const vscode = connect();
const post = (type, content = {}) => vscode.postMessage({ type, ...content });

/** What was opened; `names` are those of every node that the page was sent. */
let model = { names: new Set(), overlay: null, part: false, total: 0 };
/** The node around which a large graph is drawn. */
let centre = "";
/** Names selected from outside or by the bar; selected again when the graph is drawn anew. */
let wanted = [];
let netron;
let overlay;
let asking = 0;

followTheme();
const toolbar = new Toolbar(vscode.getState()?.mode, {
  onMode: (mode) => {
    overlay?.set({ mode });
    vscode.setState({ mode });
  },
  onFinding: (finding) => queue(() => goToFinding(finding, true)),
  onNode: (name) => queue(() => goToNode(name)),
  onNames: () => {
    netron?.view.toggle("names");
    return netron?.view.options.names === true;
  },
});
const search = new Search(
  () => ({ findings: toolbar.findings, names: new Set([...Object.keys(model.overlay?.nodes ?? {}), ...model.names]) }),
  ({ finding, node }) => {
    if (finding) toolbar.show(finding);
    else toolbar.describe(node);
    queue(() => (finding ? goToFinding(finding, true) : goToNode(node)));
  },
);

const started = createNetron(document.querySelector("meta[name=aipc-netron]").content, {
  onError: fail,
  onRendered() {
    overlay?.attach();
    if (wanted.length > 0) overlay?.select(wanted, "instant");
    explain();
  },
  part: (graph) => (graph.nodes.length > LARGE ? near(graph, centre, NEAR) : graph),
}).then((created) => {
  netron = created;
  overlay = new Overlay(created.view, (node) => {
    wanted = [node];
    toolbar.describe(node);
    post("select", { node });
  });
});

/** One thing after another; of several models that wait, only the last is opened. */
let work = started;
let newest;
const queue = (task) => (work = work.then(task).catch((error) => fail(error.message)));

const handlers = {
  open(message) {
    newest = message;
    queue(() => (newest === message ? open(message) : undefined));
  },
  overlay: (message) => queue(() => colour(message.overlay)),
  select: ({ nodes }) => queue(() => reach(nodes, SETTLE_MS)),
  finding: ({ id }) =>
    queue(() => {
      const finding = toolbar.finding(id);
      if (!finding) return;
      toolbar.show(finding);
      return goToFinding(finding, false);
    }),
};

window.addEventListener("message", ({ data, source }) => {
  if (source === window.self && vscode.loops) return;
  if (data && Object.hasOwn(handlers, data.type)) handlers[data.type](data);
});
window.addEventListener("error", ({ message }) => message.startsWith("ResizeObserver") || fail(message));
window.addEventListener("unhandledrejection", ({ reason }) => fail(reason?.message ?? String(reason)));
window.addEventListener("keydown", keydown, { capture: true });
document.getElementById("aipc-bar").addEventListener("keydown", keepFromNetron);
document.getElementById("sidebar-closebutton").addEventListener("keydown", ({ key, currentTarget }) => {
  if (key === "Enter" || key === " ") currentTarget.click();
});
post("ready");

async function open({ name, bytes, overlay: colours, part = false, total = 0, focus }) {
  const start = performance.now();
  toolbar.notice("error", "");
  model = { names: new Set(), overlay: colours, part, total };
  if (focus && !wanted.includes(focus)) wanted = [focus];
  centre = focus ?? colours?.findings.find(({ nodes }) => nodes.length > 0)?.nodes[0] ?? "";
  colour(colours);
  if (!(await netron.open(name, bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)))) {
    fail("The layout was cancelled.");
    return;
  }
  const { nodes } = netron.view.activeTarget;
  model.names = new Set(nodes.map((node) => node.name).filter(Boolean));
  explain();
  post("opened", { nodes: nodes.length, milliseconds: Math.round(performance.now() - start) });
}

function colour(colours) {
  model.overlay = colours;
  toolbar.set(colours);
  overlay.set({ nodes: colours?.nodes ?? {}, mode: toolbar.mode });
}

function goToFinding(finding, tell) {
  if (tell) post("finding", { id: finding.id });
  return reach(finding.nodes, tell && model.part ? Infinity : 0);
}

function goToNode(name) {
  post("select", { node: name });
  return reach([name], 0);
}

/** Select nodes; where they are not drawn, draw those around them, or ask the host for them after `delay`. */
async function reach(names, delay) {
  clearTimeout(asking);
  wanted = names;
  if (names.length === 0) return overlay.clearSelection();
  if (overlay.select(names)) return;
  const known = names.find((name) => model.names.has(name));
  if (known) {
    centre = known;
    await netron.redraw();
  } else if (model.part && Number.isFinite(delay)) {
    asking = setTimeout(() => post("neighbourhood", { node: names[0] }), delay);
  }
}

/** Say that the page shows only a part. */
function explain() {
  const drawn = overlay?.names.length ?? 0;
  const { length } = netron?.view.activeTarget?.nodes ?? [];
  const total = Math.max(model.total, length);
  const words = `Showing ${drawn} of ${total} nodes. Search for a node or go to a finding to see those around it.`;
  toolbar.notice("part", model.part || length > LARGE ? words : "");
}

function fail(message) {
  toolbar.notice("error", message);
  post("error", { message });
}

function keydown(event) {
  if (event.key === "F8") toolbar.step(event.shiftKey ? -1 : 1);
  else if (event.key.toLowerCase() === "f" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey)
    search.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** Netron drops its selection at every plain key; VS Code still gets its own combinations. */
function keepFromNetron(event) {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && !/^F\d/.test(event.key)) event.stopPropagation();
}

function connect() {
  if (typeof acquireVsCodeApi === "function") return acquireVsCodeApi();
  let state;
  return {
    loops: window.parent === window.self,
    postMessage: (message) => window.parent.postMessage(message, "*"),
    getState: () => state,
    setState: (value) => (state = value),
  };
}
