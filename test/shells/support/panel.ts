/** The fixture: a panel with a data folder of its own, in a browser or in Electron; the specs do not know which. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, test as base, chromium, type ElectronApplication, type Page } from '@playwright/test'
import type { Method, Params, ResultOf } from '../../../src/contract/api.ts'
import type { Result } from '../../../src/contract/result.ts'
import type { PanelShell } from '../../../src/contract/shell.ts'
import { testIds } from '../../../src/renderer/testids.ts'
import { findBrowser, rootFlags } from './find-browser.ts'
import { root, startServing, type Serving } from './serve.ts'

export interface ShellOptions {
  readonly shell: 'browser' | 'electron'
}

export interface Panel {
  readonly page: Page
  readonly dataFolder: string
  /** Only in Electron. */
  readonly app: ElectronApplication | null
  /** Only in the browser. */
  readonly serving: Serving | null
  /** A call of the contract, past the page's screens, to look at what they should show. */
  call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>>
  /** Policy violations since the page was loaded. */
  cspViolations(): Promise<readonly string[]>
}

interface Opened extends Panel {
  close(): Promise<void>
}

declare global {
  interface Window {
    panelShell?: PanelShell
    cspViolationsSeen?: string[]
  }
}

/** Runs in the page before anything of its own. */
const watchViolations = (): void => {
  const seen: string[] = []
  window.cspViolationsSeen = seen
  document.addEventListener('securitypolicyviolation', (event) =>
    seen.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
  )
}

const violationsOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => window.cspViolationsSeen ?? ['the watcher did not run'])

const valueOf = <T>(method: string, result: Result<T>): T => {
  if (!result.ok) throw new Error(`${method}: ${result.error.code}: ${result.error.message}`)
  return result.value
}

/** By the page's own shell: in Electron there is no other way in. */
const callByPage = async <M extends Method>(page: Page, method: M, params: Params<M>): Promise<ResultOf<M>> => {
  const text = await page.evaluate(async (given) => {
    const asked = JSON.parse(given) as { method: Method; params: never }
    return JSON.stringify(await window.panelShell?.call(asked.method, asked.params))
  }, JSON.stringify({ method, params }))
  return valueOf(method, JSON.parse(text) as Result<ResultOf<M>>)
}

/** A WebSocket of our own, as a script's. */
export const connectSocket = (serving: Serving): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${serving.url.replace('http', 'ws')}/api/v1/socket`, ['pbft-panel', `token.${serving.token}`])
    socket.onerror = () => reject(new Error('no connection'))
    socket.onopen = () => resolve(socket)
  })

export const callBySocket = async <M extends Method>(serving: Serving, method: M, params: Params<M>): Promise<ResultOf<M>> => {
  const socket = await connectSocket(serving)
  const answer = new Promise<string>((resolve, reject) => {
    socket.onmessage = (message) => resolve(String(message.data))
    socket.onclose = () => reject(new Error(`${method}: the connection ended`))
  })
  socket.send(JSON.stringify({ id: 1, method, params }))
  const { result } = JSON.parse(await answer) as { result: Result<ResultOf<M>> }
  socket.close()
  return valueOf(method, result)
}

const openInBrowser = async (dataFolder: string): Promise<Opened> => {
  const serving = await startServing(['--data', dataFolder, '--empty'])
  const browser = await chromium.launch({ executablePath: findBrowser(), args: rootFlags })
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' })
  const page = await context.newPage()
  await page.addInitScript(watchViolations)
  await page.goto(`${serving.url}/#token=${serving.token}`)
  return {
    page,
    dataFolder,
    app: null,
    serving,
    call: (method, params) => callBySocket(serving, method, params),
    cspViolations: () => violationsOf(page),
    async close() {
      await browser.close()
      await serving.stop()
    },
  }
}

const openInElectron = async (dataFolder: string): Promise<Opened> => {
  const executablePath = process.env.PBFT_PANEL_TEST_ELECTRON
  if (executablePath === undefined) throw new Error('PBFT_PANEL_TEST_ELECTRON names no Electron: run these by npm test -- shells.')
  const official = process.env.PBFT_PANEL_TEST_ELECTRON_OFFICIAL === 'true'
  const app = await _electron.launch({
    executablePath,
    args: [...(official ? [root] : []), ...rootFlags, '--disable-gpu', '--lang=en-GB', `--data=${dataFolder}`],
    env: { ...process.env, PBFT_PANEL_CLOSE_WITHOUT_ASKING: '1' } as Record<string, string>,
  })
  const page = await app.firstWindow()
  // The first load may be past its beginning already: the watcher has to be there before it.
  await page.addInitScript(watchViolations)
  await page.reload()
  return {
    page,
    dataFolder,
    app,
    serving: null,
    call: (method, params) => callByPage(page, method, params),
    cspViolations: () => violationsOf(page),
    close: () => app.close(),
  }
}

export const test = base.extend<ShellOptions & { readonly panel: Panel }>({
  shell: ['browser', { option: true }],
  panel: async ({ shell }, use) => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'pbft-panel-shell-'))
    const panel = shell === 'browser' ? await openInBrowser(dataFolder) : await openInElectron(dataFolder)
    await panel.page.getByTestId(testIds.appReady).waitFor()
    await use(panel)
    await panel.close()
    rmSync(dataFolder, { recursive: true, force: true })
  },
})

export { expect } from '@playwright/test'
