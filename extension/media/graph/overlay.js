/** What is shown on the viewer's nodes: a colour and a badge, by placement, error or latency. */

export const PLACEMENTS = {
  npu: { title: "NPU", badge: "" },
  cpu: { title: "CPU", badge: "CPU" },
  wrong: { title: "wrong numbers", badge: "≠" },
  fails: { title: "fails", badge: "✕" },
};

const SVG = "http://www.w3.org/2000/svg";

/** Error steps in dB, from bad to good; each has a class and a legend entry. */
export const ERRORS = [
  { below: 20, title: "< 20 dB" },
  { below: 40, title: "20–40 dB" },
  { below: 60, title: "40–60 dB" },
  { below: Infinity, title: "≥ 60 dB" },
];

export class Overlay {
  /** @param {() => any} target the viewer's present graph, or null */
  constructor(target) {
    this.target = target;
    this.mode = "placement";
    this.data = null;
    this.selected = new Set();
  }

  /** Node name -> the viewer's node, for what is on the page now. */
  nodes() {
    const found = new Map();
    const target = this.target();
    if (!target) return found;
    for (const { label } of target.nodes.values()) {
      const name = label?.value?.name;
      if (name && label.element) found.set(name, label);
    }
    return found;
  }

  paint() {
    for (const [name, label] of this.nodes()) {
      const entry = this.data?.nodes[name];
      const { element } = label;
      for (const old of [...element.classList]) if (old.startsWith("aipc-")) element.classList.remove(old);
      element.querySelector(".aipc-badge")?.remove();
      element.querySelector(".aipc-title")?.remove();
      if (!entry) continue;
      const { kind, badge } = this.look(entry);
      if (kind) element.classList.add("aipc-node", `aipc-${kind}`);
      if (badge) element.append(makeBadge(badge, label));
      element.append(makeTitle(name, entry));
    }
  }

  look(entry) {
    if (this.mode === "error") {
      if (entry.sqnr_db === undefined) return { kind: "", badge: "" };
      const step = ERRORS.findIndex(({ below }) => entry.sqnr_db < below);
      return { kind: `error-${step}`, badge: `${Math.round(entry.sqnr_db)} dB` };
    }
    if (this.mode === "latency") {
      if (entry.latency_us === undefined) return { kind: "", badge: "" };
      return { kind: `latency-${this.latencyStep(entry.latency_us)}`, badge: `${entry.latency_us.toFixed(0)} µs` };
    }
    return { kind: entry.placement, badge: PLACEMENTS[entry.placement]?.badge ?? "" };
  }

  latencyStep(value) {
    const most = Math.max(...Object.values(this.data.nodes).map((entry) => entry.latency_us ?? 0));
    return Math.min(3, Math.floor((1 - value / most) * 4));
  }

  has(key) {
    return Object.values(this.data?.nodes ?? {}).some((entry) => entry[key] !== undefined);
  }

  count(placement) {
    return Object.values(this.data?.nodes ?? {}).filter((entry) => entry.placement === placement).length;
  }

  /** Select nodes by name and bring the first of them into view; returns how many there are. */
  select(names) {
    const target = this.target();
    if (!target) return 0;
    const nodes = this.nodes();
    const labels = names.flatMap((name) => nodes.get(name) ?? []);
    const elements = target.select(
      labels.map((label) => label.value),
      "external",
    );
    if (elements?.length) target.scrollTo(elements.slice(0, 1));
    return labels.length;
  }
}

/** The second cue beside the colour: a word at the node's upper right corner. */
function makeBadge(text, label) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "aipc-badge");
  const width = 8 + 6 * text.length;
  group.setAttribute("transform", `translate(${label.width - width / 2}, 0)`);
  const box = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ x: -width / 2, y: -7, width, height: 14, rx: 7 }))
    box.setAttribute(key, value);
  const words = document.createElementNS(SVG, "text");
  words.setAttribute("y", "3.5");
  words.textContent = text;
  group.append(box, words);
  return group;
}

function makeTitle(name, entry) {
  const title = document.createElementNS(SVG, "title");
  title.setAttribute("class", "aipc-title");
  const lines = [name, PLACEMENTS[entry.placement]?.title ?? entry.placement];
  if (entry.reason) lines.push(`QAIRT: ${entry.reason}`);
  if (entry.sqnr_db !== undefined) lines.push(`SQNR against PyTorch: ${entry.sqnr_db.toFixed(1)} dB`);
  if (entry.latency_us !== undefined) lines.push(`latency on the device: ${entry.latency_us} µs`);
  title.textContent = lines.join("\n");
  return title;
}
