/** The HTML of the graph page: Netron's own body, its modules, and our overlay, under a strict policy. */

export interface GraphPageParts {
  cspSource: string;
  nonce: string;
  /** Body of Netron's page. */
  body: string;
  /** Netron's version: its host reads it from the page. */
  version: string;
  /** Address of a file: ``netron/…`` or one of ``extension/media/graph``. */
  asUri: (path: string) => string;
}

export function graphHtml({ cspSource, nonce, body, version, asUri }: GraphPageParts): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${cspSource} blob:`,
    `style-src ${cspSource} 'unsafe-inline'`,
    `img-src ${cspSource} data: blob:`,
    `font-src ${cspSource}`,
    `connect-src ${cspSource}`,
    "worker-src blob:",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="version" content="${version}">
<meta name="type" content="Panel">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Graph</title>
<link rel="stylesheet" href="${asUri("panel.css")}">
</head>
<body class="welcome" data-netron="${asUri("netron")}/">
${body}
<script type="module" nonce="${nonce}" src="${asUri("panel.js")}"></script>
</body>
</html>`;
}
