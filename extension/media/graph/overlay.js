/** Our colours and badges on the nodes that Netron drew, and selecting those nodes by name. */

import { described, look, mostLatency } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const KINDS = ["npu", "cpu", "fails", "wrong", "heat", "none"].map((kind) => `aipc-${kind}`);
const BADGE = { height: 13, padding: 4, overlap: 6, rise: 10, font: "600 9px sans-serif" };

export class Overlay {
  #view;
  #onSelect;
  #nodes = {};
  #mode = "placement";
  #drawn = new Map();
  #titles = new WeakMap();
  #context = document.createElement("canvas").getContext("2d");

  /**
   * @param {object} view Netron's view
   * @param {(name: string) => void} onSelect a node was clicked
   */
  constructor(view, onSelect) {
    this.#view = view;
    this.#onSelect = onSelect;
  }

  /** Names of the nodes on the page. */
  get names() {
    return [...this.#drawn.keys()];
  }

  has(name) {
    return this.#drawn.has(name);
  }

  /** Take the nodes of a graph that was just drawn. */
  attach() {
    const { target } = this.#view;
    this.#drawn = new Map();
    for (const { label } of target.nodes.values()) {
      if (label.element?.classList.contains("graph-node") && label.value?.name)
        this.#drawn.set(label.value.name, label);
    }
    target.on("selectionchange", (graph, source) => {
      if (source !== "target") return;
      const [label] = graph.selection;
      if (label && this.#drawn.get(label.value?.name) === label) this.#onSelect(label.value.name);
    });
    this.paint();
  }

  /** Other colours: `nodes` as in the overlay message, or none. */
  set({ nodes = this.#nodes, mode = this.#mode }) {
    this.#nodes = nodes;
    this.#mode = mode;
    this.paint();
  }

  paint() {
    const most = mostLatency(this.#nodes);
    const known = Object.keys(this.#nodes).length > 0;
    for (const [name, label] of this.#drawn) {
      const entry = this.#nodes[name];
      const { element } = label;
      const { kind, fill, badge } = look(entry, this.#mode, most);
      element.classList.remove(...KINDS);
      if (known) element.classList.add(`aipc-${kind}`);
      if (fill) element.style.setProperty("--aipc-fill", fill);
      else element.style.removeProperty("--aipc-fill");
      this.#badge(label, badge);
      this.#title(label, entry);
    }
  }

  /** Select nodes that are on the page and bring them into view; answers whether there was one. */
  select(names, behavior = "smooth") {
    const values = names.flatMap((name) => (this.has(name) ? [this.#drawn.get(name).value] : []));
    const { target } = this.#view;
    if (!target || values.length === 0) return false;
    const elements = target.select(values, "external");
    target.scrollTo(elements.length > 1 && !this.#fits(elements) ? elements.slice(0, 1) : elements, behavior);
    return true;
  }

  clearSelection() {
    this.#view.target?.select(null, "external");
  }

  #fits(elements) {
    const { clientWidth, clientHeight } = document.getElementById("target");
    const boxes = elements.map((element) => element.getBoundingClientRect());
    const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
    const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
    return width < clientWidth * 0.9 && height < clientHeight * 0.9;
  }

  #badge({ element, width, value }, text) {
    element.querySelector(":scope > .aipc-badge")?.remove();
    if (!text) return;
    this.#context.font = BADGE.font;
    const wide = Math.ceil(this.#context.measureText(text).width) + 2 * BADGE.padding;
    const group = svg("g", { class: "aipc-badge", transform: `translate(${width - BADGE.overlap},${-BADGE.rise})` });
    const words = svg("text", { x: wide / 2, y: BADGE.height / 2 });
    words.textContent = text;
    group.append(svg("rect", { width: wide, height: BADGE.height, rx: 3 }), words);
    group.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#view.target.activate(value, "target");
    });
    element.append(group);
  }

  /** Netron's own tooltip says the node's name; ours adds a line for all that is known of it. */
  #title({ element, value }, entry) {
    const item = element.querySelector(".node-item");
    let title = item.querySelector(":scope > title");
    if (!title) {
      title = svg("title", {});
      title.textContent = value.name;
      item.append(title);
    }
    if (!this.#titles.has(title)) this.#titles.set(title, title.textContent);
    title.textContent = [this.#titles.get(title), ...described(entry)].join("\n");
  }
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
