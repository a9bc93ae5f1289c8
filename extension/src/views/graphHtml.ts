/** The page of the graph viewer: our bar on top, and below it the elements that Netron's viewer looks for. */

export interface GraphHtmlOptions {
  /** The webview's own origin for resources (`webview.cspSource`). */
  readonly cspSource: string;
  /** A fresh random word for each page. */
  readonly nonce: string;
  /** Address of a file of `extension/media/graph`, or, under `netron/`, of one that scripts/copy_netron.py wrote. */
  readonly asUri: (path: string) => string;
}

export function graphHtml({ cspSource, nonce, asUri }: GraphHtmlOptions): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${cspSource}`,
    `style-src ${cspSource} 'unsafe-inline'`,
    `img-src ${cspSource} data: blob:`,
    `font-src ${cspSource}`,
    `connect-src ${cspSource}`, // the viewer's own files: operator descriptions, the layout for its worker
    "worker-src blob:",
  ].join("; ");
  const style = (path: string): string =>
    `<link rel="stylesheet" crossorigin="anonymous" href="${escape(asUri(path))}">`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<meta name="version" content="9.3.3">
<meta name="aipc-netron" content="${escape(asUri("netron"))}/">
<title>Graph</title>
${["netron/grapher.css", "netron/page.css", "overlay.css", "bar.css"].map(style).join("\n")}
<script type="module" nonce="${nonce}" src="${escape(asUri("panel.js"))}"></script>
</head>
<body class="welcome spinner">
${BAR}
${NETRON}
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

const BAR = `
<header id="aipc-bar" hidden>
  <div class="aipc-row">
    <div id="aipc-modes" class="aipc-modes" role="radiogroup" aria-label="Colour nodes by">
      <button type="button" role="radio" data-mode="placement">Placement</button>
      <button type="button" role="radio" data-mode="error">Error</button>
      <button type="button" role="radio" data-mode="introduced">Introduced</button>
      <button type="button" role="radio" data-mode="latency">Latency</button>
    </div>
    <div class="aipc-search">
      <input id="aipc-search" type="text" role="combobox" spellcheck="false" autocomplete="off"
        placeholder="Search findings and nodes" aria-label="Search findings and nodes"
        aria-expanded="false" aria-controls="aipc-results" aria-autocomplete="list">
      <ul id="aipc-results" role="listbox" aria-label="Findings and nodes" hidden></ul>
    </div>
    <button type="button" id="aipc-names" class="aipc-button" aria-pressed="false" title="Write node names in place of operator types">Names</button>
    <div id="aipc-findings" class="aipc-findings" role="group" aria-label="Findings">
      <button type="button" id="aipc-previous" class="aipc-button" title="Previous finding (Shift+F8)" aria-label="Previous finding">&#x2191;</button>
      <span id="aipc-count"></span>
      <button type="button" id="aipc-next" class="aipc-button" title="Next finding (F8)" aria-label="Next finding">&#x2193;</button>
    </div>
  </div>
  <div class="aipc-row">
    <ul id="aipc-legend" aria-label="Legend"></ul>
    <span id="aipc-soc"></span>
  </div>
  <div id="aipc-finding" class="aipc-strip" role="status" hidden></div>
  <div id="aipc-stale" class="aipc-strip aipc-warning" role="status" hidden>The source changed after this check. Colours and findings may no longer hold.</div>
  <div id="aipc-part" class="aipc-strip" role="status" hidden></div>
  <div id="aipc-error" class="aipc-strip aipc-warning" role="alert" hidden></div>
</header>`;

const icon = (shapes: string): string => `<svg class="toolbar-icon" viewBox="0 0 100 100">${shapes}</svg>`;
const glass =
  '<circle class="stroke" cx="50" cy="50" r="35" stroke-width="5"></circle><line class="stroke" x1="77" y1="77" x2="88" y2="88" stroke-width="8" stroke-linecap="round"></line>';
const minus = '<line class="stroke" x1="38" y1="50" x2="62" y2="50" stroke-width="5" stroke-linecap="round"></line>';
const plus = '<line class="stroke" x1="50" y1="38" x2="50" y2="62" stroke-width="5" stroke-linecap="round"></line>';
const box = '<rect class="stroke" x="12" y="12" width="76" height="76" rx="16" ry="16" stroke-width="5"></rect>';
const lines = [37, 50, 63]
  .map((y) => `<path class="stroke" d="M28 ${y}h4M40 ${y}h30" stroke-width="5" stroke-linecap="round"></path>`)
  .join("");
const target =
  '<circle class="stroke" cx="50" cy="50" r="18" stroke-width="5"></circle><circle class="stroke fill" cx="50" cy="50" r="3" stroke-width="4"></circle>';

/** Elements that Netron's view.js finds by their ids, without its logo, menu, file dialog and window frame. */
const NETRON = `
<main id="target" class="target" tabindex="0" aria-label="Graph"></main>
<aside id="sidebar" class="sidebar">
  <h1 id="sidebar-title" class="sidebar-title"></h1>
  <a id="sidebar-closebutton" class="sidebar-closebutton" role="button" tabindex="0" aria-label="Close" draggable="false">&times;</a>
  <div id="sidebar-content" class="sidebar-content"></div>
  <svg width="0" height="0" display="none" aria-hidden="true"><defs>
    <symbol id="sidebar-icon-node" viewBox="0 0 20 20"><circle cx="10" cy="10" r="6" stroke-width="2" fill="none"/></symbol>
    <symbol id="sidebar-icon-connection" viewBox="0 0 20 20"><path d="M4 10h11M11 6l4 4-4 4" stroke-width="2" fill="none"/></symbol>
    <symbol id="sidebar-icon-weight" viewBox="0 0 20 20"><path d="M5 5h.1M10 5h.1M15 5h.1M5 10h.1M10 10h.1M15 10h.1M5 15h.1M10 15h.1M15 15h.1" stroke-width="2" stroke-linecap="round"/></symbol>
  </defs></svg>
</aside>
<div id="toolbar" class="toolbar">
  <button type="button" id="zoom-in-button" class="toolbar-button" title="Zoom In" aria-label="Zoom In">${icon(glass + minus + plus)}</button>
  <button type="button" id="zoom-out-button" class="toolbar-button" title="Zoom Out" aria-label="Zoom Out">${icon(glass + minus)}</button>
  <button type="button" id="sidebar-model-button" class="toolbar-button" title="Model Properties" aria-label="Model Properties">${icon(box + lines)}</button>
  <button type="button" id="sidebar-target-button" class="toolbar-button" title="Graph Properties" aria-label="Graph Properties">${icon(box + target)}</button>
  <div id="toolbar-navigator" class="toolbar-select">
    <select id="toolbar-target-selector" aria-label="Graph"></select>
    <svg class="toolbar-select-arrow" viewBox="0 0 10 6" width="10" height="6" aria-hidden="true"><path d="M0 0L5 6L10 0Z" /></svg>
  </div>
  <div id="toolbar-path" class="toolbar-path"><button type="button" id="toolbar-path-back-button" class="toolbar-path-back-button" title="Back">&#x276E;</button></div>
</div>
<div id="logo" class="center logo">
  <svg id="logo-spinner" class="center logo-spinner" viewBox="0 0 106 106" aria-hidden="true"><path class="aipc-spinner" d="M53 8a45 45 0 1 1-45 45" fill="none" stroke-width="4" stroke-linecap="round"></path></svg>
  <a id="logo-github" hidden href="https://github.com/lutzroeder/netron"></a>
</div>
<div id="message" class="message"><div id="message-text" class="message-text"></div><button type="button" id="message-button" class="logo-button message-button">OK</button></div>
<div style="position: absolute; opacity: 0; pointer-events: none" aria-hidden="true"><span style="font-weight: normal">.</span><span style="font-weight: bold">.</span></div>`;
