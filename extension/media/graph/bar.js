/** The bar above the graph: what is coloured, the legend, the search, and the way from finding to finding. */

import { ERRORS, PLACEMENTS } from "./overlay.js";

const MODES = { placement: "Placement", error: "Error", latency: "Latency" };

export class Bar {
  constructor(overlay, { onMode, onFinding, onSearch }) {
    this.overlay = overlay;
    this.at = -1;
    this.element = make("div", { id: "aipc-bar", role: "toolbar", "aria-label": "AIPC" });
    this.modes = make("div", { className: "aipc-modes", role: "radiogroup" });
    this.legend = make("div", { className: "aipc-legend", "aria-label": "Legend" });
    this.search = make("input", { id: "aipc-search", type: "search", placeholder: "Find a node or a finding" });
    this.search.setAttribute("list", "aipc-names");
    this.names = make("datalist", { id: "aipc-names" });
    this.previous = make("button", { id: "aipc-previous", textContent: "‹", title: "Previous finding" });
    this.counter = make("span", { id: "aipc-counter" });
    this.next = make("button", { id: "aipc-next", textContent: "›", title: "Next finding" });
    this.note = make("div", { id: "aipc-note", role: "status" });
    const findings = make("div", { className: "aipc-findings" }, [this.previous, this.counter, this.next]);
    this.element.append(
      this.modes,
      this.legend,
      make("span", { className: "aipc-space" }),
      this.search,
      this.names,
      findings,
    );
    for (const [mode, title] of Object.entries(MODES)) {
      const button = make("button", { textContent: title, role: "radio" });
      button.dataset.mode = mode;
      button.addEventListener("click", () => onMode(mode));
      this.modes.append(button);
    }
    this.previous.addEventListener("click", () => this.step(-1, onFinding));
    this.next.addEventListener("click", () => this.step(1, onFinding));
    this.search.addEventListener("change", () => onSearch(this.search.value));
    // The viewer takes every key for itself and drops the selection.
    this.element.addEventListener("keydown", (event) => event.stopPropagation());
  }

  step(by, onFinding) {
    const findings = this.overlay.data?.findings ?? [];
    if (findings.length === 0) return;
    this.at = (this.at + by + findings.length) % findings.length;
    this.show();
    onFinding(findings[this.at]);
  }

  /** Stand at a finding that was chosen elsewhere. */
  goTo(id) {
    this.at = (this.overlay.data?.findings ?? []).findIndex((finding) => finding.id === id);
    this.show();
    return this.overlay.data?.findings[this.at];
  }

  show() {
    const { data, mode } = this.overlay;
    this.element.hidden = !data;
    if (!data) return;
    for (const button of this.modes.children) {
      button.setAttribute("aria-checked", String(button.dataset.mode === mode));
      const key = { error: "sqnr_db", latency: "latency_us" }[button.dataset.mode];
      const known = !key || this.overlay.has(key);
      button.disabled = !known;
      button.title = known
        ? ""
        : button.dataset.mode === "latency"
          ? "No device has measured it"
          : "Deploy the model to measure it";
    }
    this.legend.replaceChildren(...this.entries());
    const { findings } = data;
    const finding = findings[this.at];
    this.counter.textContent =
      findings.length === 0 ? "no findings" : `${this.at < 0 ? "–" : this.at + 1} / ${findings.length}`;
    this.counter.title = finding?.message ?? "";
    this.previous.disabled = this.next.disabled = findings.length === 0;
    this.names.replaceChildren(
      ...findings.map((item) => make("option", { value: item.message })),
      ...Object.keys(data.nodes).map((name) => make("option", { value: name })),
    );
  }

  entries() {
    if (this.overlay.mode === "error") return ERRORS.map(({ title }, step) => swatch(`error-${step}`, title)).reverse();
    if (this.overlay.mode === "latency") return [swatch("latency-0", "slowest"), swatch("latency-3", "fastest")];
    return Object.entries(PLACEMENTS).flatMap(([kind, { title, badge }]) => {
      const count = this.overlay.count(kind);
      return count > 0 || kind === "npu"
        ? [swatch(kind, `${badge ? `${badge} ` : ""}${title === badge ? "" : title} ${count}`)]
        : [];
    });
  }

  /** A sentence below the bar: busy, stale, or only a part of the model. Empty: nothing. */
  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }
}

function swatch(kind, text) {
  const box = make("i", { className: `aipc-swatch aipc-${kind}` });
  return make("span", { className: "aipc-entry" }, [box, document.createTextNode(text)]);
}

function make(tag, properties = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("aria-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}
