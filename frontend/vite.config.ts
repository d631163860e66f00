// Build, development server and unit tests: one configuration for the three.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.MASTIC_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    target: "es2022",
    // The Content-Security-Policy allows data: for images only; nothing else may be inlined.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: {
    host: "127.0.0.1",
    // The server takes changes from its own pages alone, which these are.
    proxy: { "/api": { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/unit/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/unit/setup.ts"],
  },
});
