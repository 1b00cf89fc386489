import { defineConfig } from "vite";

// The gateway serves this folder: index.html for any page address, /assets/* for a year. No
// file is inlined, because the gateway's Content-Security-Policy lets only files through.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/cuemark/gateway/page",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    license: { fileName: "licenses.txt" },
    chunkSizeWarningLimit: 700,
  },
});
