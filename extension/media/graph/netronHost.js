/**
 * Netron's own viewer, unmodified, in a page that is not its own.
 *
 * Netron's browser host reads window.location, sets cookies, asks for consent, reports to an analytics service and locks
 * up on an update notice 180 days after its release. None of that happens here: the host below overrides what does it,
 * loads only files that are shipped (scripts/copy_netron.py), and lays graphs out in a worker made from a blob, since
 * a webview may not start a worker from another origin.
 */

const MODULES = new Set([
  ...["base", "browser", "view", "grapher", "dagre", "onnx", "onnx-proto", "onnx-schema", "protobuf", "text", "json"],
  ...["xml", "zip", "tar", "hdf5", "flatbuffers", "flexbuffers"],
]);
const UNREADABLE = "The file is not an ONNX model that can be read.";
const ASSETS = new Set(["onnx-metadata.json"]);

const ANSWER_LAYOUT = `
self.addEventListener("message", ({ data }) => {
  try {
    layout(data.nodes, data.edges, data.layout, data.state);
    self.postMessage(data);
  } catch (error) {
    self.postMessage({ type: "error", message: error.message });
  }
});`;

/**
 * Start the viewer on the elements of the page (views/graphHtml.ts).
 *
 * @param {string} root address of the folder with Netron's files, ending with a slash
 * @param {{onRendered: () => void, onError: (message: string) => void, part?: (graph: object) => object}} hooks
 *   `onRendered` is called whenever the graph was drawn anew and every earlier element of it is gone; `part` may answer
 *   with a smaller graph to draw in the place of the one given.
 * @returns {Promise<{view: object, open: (name: string, bytes: Uint8Array) => Promise<boolean>,
 *   redraw: () => Promise<void>}>} `open` answers false when the user cancelled a long layout, and throws when the file
 *   cannot be shown; `redraw` draws the open graph anew, asking `part` again.
 */
export async function createNetron(root, { onRendered, onError, part = (graph) => graph }) {
  const load = (id) => {
    const name = id.replace(/^\.\//, "");
    if (!MODULES.has(name)) return Promise.reject(new Error(UNREADABLE));
    return import(`${root}${name}.js`);
  };
  const [{ Host }, { BinaryStream }, { View }, dagre] = await Promise.all([
    load("browser"),
    load("base"),
    load("view"),
    fetch(`${root}dagre.js`).then((answer) => answer.text()),
  ]);
  const layout = URL.createObjectURL(new Blob([dagre, ANSWER_LAYOUT], { type: "text/javascript" }));

  class WebviewHost extends Host {
    #assets = new Map();
    #values = new Map();

    /** Netron replaces eval, which the page's policy forbids anyway and which developer tools need. */
    constructor() {
      const { eval: own } = window;
      super();
      window.eval = own;
    }

    async view() {}

    async start() {}

    event() {}

    exception() {}

    update() {}

    async execute() {}

    /** Netron offers to save a tensor when there is a `save`; weights are not sent to the page. */
    get save() {
      return undefined;
    }

    environment(name) {
      return name === "packaged" || name === "menu" || name === "serial" ? false : super.environment(name);
    }

    require(id) {
      return load(id);
    }

    worker() {
      return new Worker(layout, { type: "module" });
    }

    asset(file) {
      if (!ASSETS.has(file)) return Promise.reject(new Error(`'${file}' is not shipped.`));
      if (!this.#assets.has(file))
        this.#assets.set(
          file,
          fetch(`${root}${file}`).then((answer) => answer.text()),
        );
      return this.#assets.get(file);
    }

    fetch(file) {
      return Promise.reject(new Error(`'${file}' is a file beside the model, which is not read.`));
    }

    request(file) {
      return this.fetch(file);
    }

    /** VS Code opens the links that are clicked in a webview. */
    openURL(url) {
      if (!/^https?:\/\//.test(url)) return;
      const link = document.createElement("a");
      Object.assign(link, { href: url, target: "_blank", rel: "noopener" });
      document.body.append(link);
      link.click();
      link.remove();
    }

    get(name) {
      return this.#values.get(name);
    }

    set(name, value) {
      this.#values.set(name, value);
    }

    delete(name) {
      this.#values.delete(name);
    }

    /** Netron's page for a long layout keeps its Cancel button; an alert is an error; no text ends what was shown. */
    async message(text, alert, action) {
      if (alert) return onError(text);
      if (text) return super.message(text, alert, action);
      document.body.classList.remove("notification");
    }
  }

  class GraphView extends View {
    async render(target, signature) {
      const status = await super.render(target ? part(target) : target, signature);
      if (status === "" && target) onRendered();
      return status;
    }

    async refresh(anchor) {
      const whole = this.activeTarget;
      if (whole && part(whole) !== whole) {
        await this.render(whole, this.activeSignature);
        this.show(null);
        return;
      }
      await super.refresh(anchor);
      onRendered();
    }
  }

  keepFocus(document.getElementById("target"));
  keepFocus(document.getElementById("message-button"));
  const host = new WebviewHost();
  const view = new GraphView(host);
  await view.start();
  view.show(null);

  async function open(name, bytes) {
    const context = {
      identifier: name,
      name,
      stream: new BinaryStream(bytes),
      asset: (file) => host.asset(file),
      fetch: (file) => host.fetch(file),
      require: (id) => host.require(id),
      error: () => {},
    };
    view.show("welcome spinner");
    try {
      return (await view.open(context)) !== null;
    } catch (error) {
      throw error.message.includes("dynamically imported module") ? new Error(UNREADABLE) : error;
    } finally {
      view.show(null);
    }
  }

  async function redraw() {
    if (!view.activeTarget) return;
    view.show("welcome spinner");
    try {
      await view.render(view.activeTarget, view.activeSignature);
    } finally {
      view.show(null);
    }
  }

  return { view, open, redraw };
}

/** Netron focuses its elements whenever it draws. A page that is not in use must not take the focus from an editor. */
function keepFocus(element) {
  const bar = document.getElementById("aipc-bar");
  element.focus = (options) => {
    if (document.hasFocus() && !bar.contains(document.activeElement))
      HTMLElement.prototype.focus.call(element, options);
  };
}
