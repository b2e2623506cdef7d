import { defineConfig } from "vite";

// The bundle is part of the Python wheel: fixed names, one folder, nothing fetched at run time.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/cloverleaf/cloud/console",
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: {
      input: { index: "index.html", drive: "drive.html" },
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8000", ws: true }, "/health": "http://127.0.0.1:8000" } },
});
