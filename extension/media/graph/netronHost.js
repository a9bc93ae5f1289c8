/**
 * Netron's viewer inside a page that is not its own: no window.location, no cookies, no network.
 *
 * What the original host does besides viewing (update notice, consent, telemetry, drag and drop) is left out; what it
 * loads by relative address is loaded from `root`.
 */

/** @param {string} root address of Netron's files, ending with a slash */
export async function createNetron(root, { onError, onBusy }) {
  const load = (id) => import(`${root}${id.replace(/^\.\//, "")}.js`);
  const [{ Host }, { BinaryStream }, { View }] = await Promise.all(["browser", "base", "view"].map(load));

  class PanelHost extends Host {
    async view(view) {
      this._view = view;
    }

    async start() {}

    event() {}

    update() {}

    environment(name) {
      if (name === "packaged" || name === "menu" || name === "serial") return false;
      return super.environment(name);
    }

    require(id) {
      return load(id);
    }

    /** A module worker must come from the page's own origin; a blob does, and imports the real one. */
    worker(id) {
      const source = `import "${root}${id.replace(/^\.\//, "")}.js";`;
      const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      return new Worker(address, { type: "module" });
    }

    async asset(file) {
      const answer = await fetch(`${root}${file}`);
      return answer.text();
    }

    async fetch() {
      throw new Error("This file needs other files, which are not shown here.");
    }

    openURL() {}

    exception(error) {
      onError(error?.message ?? String(error));
    }

    get() {
      return undefined;
    }

    set() {}

    delete() {}

    async execute() {}

    /** Without text: whatever was shown is over. An alert is an error; anything else is about a long layout. */
    message(text, alert) {
      if (!text) {
        onBusy("");
        return undefined;
      }
      if (alert) {
        onError(text);
        return Promise.resolve(0);
      }
      onBusy(text);
      return new Promise(() => {});
    }

    async open(name, bytes) {
      return this._openContext({
        identifier: name,
        name,
        stream: new BinaryStream(bytes),
        asset: (file) => this.asset(file),
        fetch: (file) => this.fetch(file),
        require: (id) => this.require(id),
        error: (error) => this.exception(error),
      });
    }
  }

  // The original replaces window.eval; the page's policy forbids it already, and tools that look into pages need it.
  const { eval: own } = window;
  const host = new PanelHost();
  window.eval = own;
  const view = new View(host);
  await view.start();
  return { host, view };
}
