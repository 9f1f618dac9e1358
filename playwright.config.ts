/** The panel as people use it: the same specs in a browser against `pbft-panel serve`, and in Electron. */
import { defineConfig } from '@playwright/test'
import type { ShellOptions } from './test/shells/support/panel.ts'

export default defineConfig<ShellOptions>({
  testDir: 'test/shells',
  outputDir: 'test-results/shells',
  // Each test runs a whole cluster: one at a time on a small machine.
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env.CI !== undefined,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  projects: [
    { name: 'browser', use: { shell: 'browser' }, testIgnore: '**/electron-*.spec.ts' },
    { name: 'electron', use: { shell: 'electron' }, testIgnore: '**/browser-*.spec.ts' },
  ],
})
