import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.CHIPS_HTTP ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2022',
    // The viewer is one lazy chunk of more than half a megabyte before compression; `npm run size` is the budget.
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0,
  },
  server: {
    // `npm run dev` works against a running CHIPS: the page is ours, the data are the server's.
    proxy: { '/api': { target: server, ws: true, changeOrigin: true } },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
