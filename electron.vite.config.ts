/**
 * The build: shells, child processes and command line as CommonJS into out/main, the preload into out/preload, the page into
 * out/renderer. What is pure JavaScript is bundled, so that a package needs no node_modules but better-sqlite3.
 */
import { builtinModules } from 'node:module'
import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'

const here = import.meta.dirname
const external = ['electron', 'better-sqlite3', 'bufferutil', 'utf-8-validate', ...builtinModules, /^node:/]

export default defineConfig({
  main: {
    build: {
      // An older Electron has Node 18; what runs on Node 24 loses nothing by it.
      target: 'node18',
      outDir: resolve(here, 'out/main'),
      externalizeDeps: false,
      minify: false,
      rollupOptions: {
        input: {
          index: resolve(here, 'src/main/index.ts'),
          cli: resolve(here, 'src/web/cli.ts'),
          replica: resolve(here, 'src/replica/main.ts'),
          recorder: resolve(here, 'src/cluster/recorder/main.ts'),
          load: resolve(here, 'src/cluster/bench/load-main.ts'),
          simulation: resolve(here, 'src/web/simulation/worker.ts'),
        },
        external,
        // Chunks lie beside the entries: code that looks for its neighbours finds them from either.
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
      },
    },
  },
  preload: {
    build: {
      target: 'node18',
      outDir: resolve(here, 'out/preload'),
      externalizeDeps: false,
      minify: false,
      rollupOptions: {
        input: { index: resolve(here, 'src/preload/index.ts') },
        external: ['electron'],
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: resolve(here, 'src/renderer'),
    plugins: [vue()],
    build: {
      target: 'chrome114',
      outDir: resolve(here, 'out/renderer'),
      rollupOptions: { input: resolve(here, 'src/renderer/index.html') },
    },
  },
})
