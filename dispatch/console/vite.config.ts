import { defineConfig } from "vite";

// A page each; all of them and their assets are served under /pages (dispatch/service/pages.py).
const PAGES = ["operator", "driver", "rider", "plain", "planner"];

export default defineConfig({
  base: "/pages/",
  build: {
    target: "es2022",
    rolldownOptions: { input: Object.fromEntries(PAGES.map((page) => [page, `${page}.html`])) },
    // The content security policy allows no data: in scripts and styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
});
