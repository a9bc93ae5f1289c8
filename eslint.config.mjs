import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "dist/**",
      "bundled/**",
      "node_modules/**",
      ".venv/**",
      ".vscode-test/**",
      "extension/media/graph/netron/**",
    ],
  },
  js.configs.recommended,
  {
    files: ["extension/src/**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: "extension/tsconfig.json" } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
    },
  },
  {
    files: ["extension/test/**/*.ts"],
    extends: [...tseslint.configs.recommended],
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        setTimeout: "readonly",
        fetch: "readonly",
        URL: "readonly",
        Buffer: "readonly",
        NodeFilter: "readonly",
        document: "readonly",
        window: "readonly",
      },
    },
  },
  {
    files: ["extension/media/**/*.js"],
    languageOptions: {
      globals: {
        window: "readonly",
        document: "readonly",
        acquireVsCodeApi: "readonly",
        console: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        performance: "readonly",
        URL: "readonly",
        Blob: "readonly",
        ResizeObserver: "readonly",
        CSSStyleSheet: "readonly",
        CSSMediaRule: "readonly",
        Worker: "readonly",
        TextDecoder: "readonly",
        CSS: "readonly",
        requestAnimationFrame: "readonly",
        MutationObserver: "readonly",
        HTMLElement: "readonly",
        fetch: "readonly",
        Event: "readonly",
        navigator: "readonly",
      },
    },
  },
);
