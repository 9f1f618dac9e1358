import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/{pbft,link,replica,contract,main,web,renderer,scripts}/**/*.test.ts',
            'test/sim/**/*.test.ts',
            'test/cluster-units/**/*.test.ts',
          ],
          // Generous: a slow machine is no failure.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          // Each starts real processes: one file at a time on a small machine.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
