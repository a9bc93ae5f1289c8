/**
 * VS Code says its theme with a class of the body, Netron follows the system's colour scheme and takes every class that it
 * does not know off the body. So: the class is put back whenever it is lost, and what Netron's style sheets say for a
 * dark scheme is switched by the class.
 */

const THEME = /^vscode-(light|dark|high-contrast|high-contrast-light)$/;
const DARK = new Set(["vscode-dark", "vscode-high-contrast"]);

/** Follow the theme of the body from now on; the html element gets `data-aipc-theme` and `data-aipc-contrast`. */
export function followTheme() {
  const { body } = document;
  const schemes = schemeRules();
  let kept = [];

  function apply() {
    const present = [...body.classList].filter((name) => name.startsWith("vscode-"));
    if (!present.some((name) => THEME.test(name))) {
      if (kept.length > 0) body.classList.add(...kept);
      else if (THEME.test(body.dataset.vscodeThemeKind ?? "")) body.classList.add(body.dataset.vscodeThemeKind);
      else return;
      return apply();
    }
    if (present.join() === kept.join()) return;
    kept = present;
    const theme = present.find((name) => THEME.test(name));
    const root = document.documentElement;
    root.dataset.aipcTheme = DARK.has(theme) ? "dark" : "light";
    root.dataset.aipcContrast = theme.includes("high-contrast") ? "high" : "normal";
    for (const rule of schemes) rule.media.mediaText = DARK.has(theme) ? "all" : "not all";
  }

  apply();
  new MutationObserver(apply).observe(body, { attributes: true, attributeFilter: ["class"] });
}

function schemeRules() {
  return [...document.styleSheets]
    .flatMap(rules)
    .filter((rule) => rule.media?.mediaText.includes("prefers-color-scheme: dark"));
}

/** A sheet from another origin cannot be read unless it was loaded with `crossorigin`; then it follows the system. */
function rules(sheet) {
  try {
    return [...sheet.cssRules];
  } catch {
    return [];
  }
}
