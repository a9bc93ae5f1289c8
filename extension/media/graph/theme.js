/** Netron's own style sheets, switched by the editor's theme instead of the system's. */

/** @param {string[]} addresses of the style sheets, in order */
export async function followTheme(addresses) {
  const texts = await Promise.all(addresses.map(async (address) => (await fetch(address)).text()));
  const sheets = texts.map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  document.adoptedStyleSheets = [...sheets, ...document.adoptedStyleSheets];
  const rules = sheets.flatMap((sheet) =>
    [...sheet.cssRules].filter(
      (rule) => rule instanceof CSSMediaRule && /prefers-color-scheme/.test(rule.conditionText),
    ),
  );
  const apply = () => {
    const dark = isDark();
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    for (const rule of rules) rule.media.mediaText = dark ? "all" : "not all";
  };
  apply();
  // The viewer rewrites the body's classes, so the attribute is what tells the theme.
  new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["data-vscode-theme-kind"] });
}

function isDark() {
  return /dark|high-contrast$/.test(document.body.dataset.vscodeThemeKind ?? "vscode-light");
}
