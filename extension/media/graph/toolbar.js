/** The bar above the graph: what colours mean, which of them are shown, the findings one after another, and notices. */

import { BAD_DB, GOOD_DB, MODES, PLACEMENTS, duration, hasError, hasShare, mostLatency } from "./scale.js";

const element = (id) => document.getElementById(`aipc-${id}`);

export class Toolbar {
  #overlay = null;
  #wish;
  #mode = "placement";
  #current = -1;
  #shown = new Map();
  #calls;

  /**
   * @param {string} mode what to colour by, where that is known
   * @param {{onMode: (mode: string) => void, onFinding: (finding: object) => void, onNode: (name: string) => void,
   *   onNames: () => boolean}} calls what the user asked for; `onNames` answers whether names are now written
   */
  constructor(mode, calls) {
    this.#wish = MODES.includes(mode) ? mode : "placement";
    this.#calls = calls;
    const bar = element("bar");
    const measure = () => document.documentElement.style.setProperty("--aipc-bar", `${bar.offsetHeight}px`);
    new window.ResizeObserver(measure).observe(bar);
    bar.hidden = false;
    for (const button of this.#modes) button.addEventListener("click", () => this.#pick(button.dataset.mode));
    element("modes").addEventListener("keydown", (event) => this.#arrow(event));
    element("previous").addEventListener("click", () => this.step(-1));
    element("next").addEventListener("click", () => this.step(1));
    element("names").addEventListener("click", ({ currentTarget }) => {
      currentTarget.setAttribute("aria-pressed", String(calls.onNames()));
    });
    this.set(null);
  }

  get #modes() {
    return [...element("modes").children];
  }

  get findings() {
    return this.#overlay?.findings ?? [];
  }

  get mode() {
    return this.#mode;
  }

  /** Another overlay, or none for a model that was not checked. */
  set(overlay) {
    const before = this.findings[this.#current]?.id;
    this.#overlay = overlay;
    this.#current = this.findings.findIndex(({ id }) => id === before);
    this.#shown.clear();
    element("modes").hidden = element("legend").hidden = !overlay;
    element("findings").hidden = this.findings.length === 0;
    element("stale").hidden = !overlay?.stale;
    element("soc").textContent = overlay?.soc ?? "";
    this.#available(
      "error",
      hasError(overlay?.nodes ?? {}),
      "SQNR of each node against PyTorch",
      "No node's error was measured",
    );
    this.#available(
      "introduced",
      hasShare(overlay?.nodes ?? {}),
      "Share of the error at the outputs that each node introduces",
      "Which node introduces the error was not measured",
    );
    const timed = mostLatency(overlay?.nodes ?? {}) > 0;
    this.#available("latency", timed, "Time of each node on the device", "No device has measured this model");
    this.#apply(this.#button(this.#wish).disabled ? "placement" : this.#wish);
    this.#count();
    if (this.#current < 0) this.notice("finding", "");
  }

  /** The finding `step` places on, round and round. */
  step(step) {
    const { length } = this.findings;
    if (length === 0) return;
    const from = this.#current < 0 && step < 0 ? 0 : this.#current;
    this.show(this.findings[(from + step + length) % length]);
    this.#calls.onFinding(this.findings[this.#current]);
  }

  finding(id) {
    return this.findings.find((finding) => finding.id === id);
  }

  /** Say a finding in the bar, without asking for anything. */
  show(finding) {
    this.#current = this.findings.indexOf(finding);
    this.#count();
    const rule = words("b", `aipc-kind aipc-${finding.severity}`, finding.rule);
    this.notice("finding", rule, words("span", "aipc-text", finding.message));
  }

  /** Say what is known of a node that was clicked: its finding if it has one, else why it is where it is. */
  describe(name) {
    const finding = this.findings.find(({ nodes }) => nodes.includes(name));
    if (finding) return this.show(finding);
    const entry = this.#overlay?.nodes[name];
    const placement = entry?.reason && PLACEMENTS[entry.placement];
    if (!placement) return this.notice("finding", "");
    this.notice(
      "finding",
      words("b", "aipc-kind", placement.label),
      words("span", "aipc-text", `${name}: ${entry.reason}`),
    );
  }

  /** Fill a strip of the bar ("finding", "part" or "error"), or hide it when there is nothing to say. */
  notice(name, ...content) {
    const strip = element(name);
    strip.replaceChildren(...content);
    strip.hidden = strip.textContent === "";
    strip.title = strip.hidden ? "" : ([...strip.children].at(-1)?.textContent ?? strip.textContent);
  }

  #button(mode) {
    return this.#modes[MODES.indexOf(mode)];
  }

  #available(mode, available, title, otherwise) {
    const button = this.#button(mode);
    button.disabled = !available;
    button.title = available ? title : otherwise;
  }

  #pick(mode) {
    this.#wish = mode;
    this.#apply(mode);
    this.#calls.onMode(mode);
  }

  #apply(mode) {
    this.#mode = mode;
    for (const button of this.#modes) {
      const checked = button.dataset.mode === mode;
      button.setAttribute("aria-checked", String(checked));
      button.tabIndex = checked ? 0 : -1;
    }
    this.#legend();
  }

  /** The arrow keys move among the modes that there is something to show of. */
  #arrow(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const modes = this.#modes.filter((button) => !button.disabled);
    const now = modes.findIndex((button) => button.dataset.mode === this.#mode);
    const next = modes[(now + step + modes.length) % modes.length];
    this.#pick(next.dataset.mode);
    next.focus();
  }

  #count() {
    const { length } = this.findings;
    const words = length === 1 ? "finding" : "findings";
    element("count").textContent = this.#current < 0 ? `${length} ${words}` : `${this.#current + 1} of ${length}`;
  }

  #legend() {
    const nodes = this.#overlay?.nodes ?? {};
    if (this.#mode === "placement") {
      const kinds = Object.keys(PLACEMENTS).map((kind) => [kind, named(nodes, kind)]);
      element("legend").replaceChildren(...kinds.map(([kind, names]) => this.#kind(kind, names)));
      return;
    }
    const [from, to, value] = {
      error: [`${GOOD_DB} dB or more`, `${BAD_DB} dB or less`, "sqnr_db"],
      introduced: ["none of the error", "all of it", "share"],
      latency: ["0", duration(mostLatency(nodes)), "latency_us"],
    }[this.#mode];
    const without = Object.values(nodes).filter((entry) => !Number.isFinite(entry[value])).length;
    const scale = [words("span", "", from), words("span", "aipc-scale", ""), words("span", "", to)];
    element("legend").replaceChildren(item(...scale));
    if (without > 0) element("legend").append(item(swatch("none"), words("span", "", `not measured ${without}`)));
  }

  /** One kind of placement; pressing it goes to the next node of that kind. */
  #kind(kind, names) {
    const { label, meaning } = PLACEMENTS[kind];
    const button = words("button", "aipc-entry", "");
    Object.assign(button, {
      type: "button",
      disabled: names.length === 0,
      title: `${names.length} ${names.length === 1 ? "node" : "nodes"}: ${meaning}`,
    });
    button.append(swatch(kind), words("span", "", label), words("span", "aipc-number", String(names.length)));
    button.addEventListener("click", () => {
      const index = ((this.#shown.get(kind) ?? -1) + 1) % names.length;
      this.#shown.set(kind, index);
      this.describe(names[index]);
      this.#calls.onNode(names[index]);
    });
    return item(button);
  }
}

function named(nodes, kind) {
  return Object.keys(nodes).filter((name) => nodes[name].placement === kind);
}

function words(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function item(...content) {
  const made = document.createElement("li");
  made.append(...content);
  return made;
}

/** A node in small: the same classes as on the graph, so the same colour and stroke. */
function swatch(kind) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", "aipc-swatch");
  made.setAttribute("viewBox", "0 0 26 16");
  made.setAttribute("aria-hidden", "true");
  made.innerHTML =
    `<g class="node graph-node aipc-${kind}"><g class="node-item node-item-type"><path d="M2 2h22v12h-22z"/></g>` +
    `<path class="node node-border" d="M2 2h22v12h-22z"/><text x="13" y="8">${PLACEMENTS[kind]?.badge.slice(0, 1) ?? ""}</text></g>`;
  return made;
}
