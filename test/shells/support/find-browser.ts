/** A Chromium to test with: Playwright's own where it is installed, else the system's. */
import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'

const known = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Throws with what to do when there is none. */
export const findBrowser = (): string => {
  const found = [chromium.executablePath(), ...known].find((path) => path !== '' && existsSync(path))
  if (found === undefined) throw new Error('There is no Chromium: run npx playwright install chromium, or install Chrome.')
  return found
}

/** Chromium refuses its operating-system sandbox to root. */
export const rootFlags = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
