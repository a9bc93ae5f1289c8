/** The search box over findings and node names: a combobox with a list, all of it usable from the keyboard. */

const MOST_FINDINGS = 20;
const MOST_NODES = 50;

export class Search {
  #input = document.getElementById("aipc-search");
  #list = document.getElementById("aipc-results");
  #source;
  #onChoose;
  #found = [];
  #active = -1;

  /**
   * @param {() => {findings: object[], names: Iterable<string>}} source what to search, asked at every change
   * @param {(choice: {finding?: object, node?: string}) => void} onChoose
   */
  constructor(source, onChoose) {
    this.#source = source;
    this.#onChoose = onChoose;
    this.#input.addEventListener("input", () => this.#show());
    this.#input.addEventListener("focus", () => this.#show());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#keydown(event));
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", (event) => {
      const index = [...this.#list.children].indexOf(event.target.closest("[role=option]"));
      if (index >= 0) this.#choose(index);
    });
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  #show() {
    const words = this.#input.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.#found = words.length === 0 ? [] : this.#search(words);
    this.#active = this.#found.length > 0 ? 0 : -1;
    const none = words.length > 0 && this.#found.length === 0;
    this.#list.replaceChildren(
      ...(none ? [line("aipc-nothing", "Nothing found")] : this.#found.map((item, i) => option(item, i))),
    );
    this.#list.hidden = this.#list.children.length === 0;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#mark();
  }

  #search(words) {
    const matches = (text) => words.every((word) => text.toLowerCase().includes(word));
    const { findings, names } = this.#source();
    const found = findings
      .filter(({ rule, message, nodes }) => matches([rule, message, ...nodes].join(" ")))
      .slice(0, MOST_FINDINGS)
      .map((finding) => ({ finding }));
    for (const node of names) {
      if (found.length >= MOST_NODES) break;
      if (matches(node)) found.push({ node });
    }
    return found;
  }

  #keydown(event) {
    const { key } = event;
    if (key === "Escape") {
      if (this.#list.hidden) this.#input.value = "";
      this.#close();
    } else if (this.#found.length > 0 && key === "ArrowDown") this.#move(1);
    else if (this.#found.length > 0 && key === "ArrowUp") this.#move(-1);
    else if (key === "Enter" && this.#list.hidden) this.#show();
    else if (key === "Enter" && this.#active >= 0) this.#choose(this.#active);
    else return;
    event.preventDefault();
  }

  #move(step) {
    if (this.#list.hidden) return this.#show();
    this.#active = (this.#active + step + this.#found.length) % this.#found.length;
    this.#mark();
  }

  #mark() {
    [...this.#list.children].forEach((item, index) =>
      item.setAttribute("aria-selected", String(index === this.#active)),
    );
    const active = this.#list.children[this.#active];
    if (active && this.#found.length > 0) {
      this.#input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(index) {
    this.#close();
    this.#onChoose(this.#found[index]);
  }

  #close() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }
}

function line(name, ...words) {
  const item = document.createElement("li");
  item.className = name;
  item.append(...words);
  return item;
}

function option({ finding, node }, index) {
  const kind = document.createElement("span");
  kind.className = `aipc-kind ${finding ? `aipc-${finding.severity}` : ""}`;
  kind.textContent = finding ? finding.rule : "node";
  const text = document.createElement("span");
  text.className = "aipc-text";
  text.textContent = finding ? finding.message : node;
  const item = line("", kind, text);
  item.id = `aipc-result-${index}`;
  item.title = text.textContent;
  item.setAttribute("role", "option");
  return item;
}
