/** Electron's checklist, looked at from inside the running app. */
import { methods } from '../../src/contract/api.ts'
import { ipcChannelOf, ipcLanguage, ipcNotify, ipcPickFile, ipcSubscribe, ipcWorkerPort } from '../../src/contract/shell.ts'
import { expect, test, type Panel } from './support/panel.ts'

const appOf = (panel: Panel) => {
  if (panel.app === null) throw new Error('these are for Electron')
  return panel.app
}

test('every window is isolated, sandboxed and without Node', async ({ panel }) => {
  const preferences = await appOf(panel).evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows().map((window) => {
      const contents = window.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
      const { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag } = contents.getLastWebPreferences()
      return { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag }
    }),
  )
  expect(preferences).toEqual([{ sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true, webviewTag: false }])
})

test('the page has the contract and nothing of Node or Electron', async ({ panel }) => {
  const seen = await panel.page.evaluate(() => ({
    shell: Object.keys(window.panelShell ?? {}).sort(),
    strangers: ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in window),
    address: location.href.split('#')[0],
  }))
  expect(seen).toEqual({
    shell: ['allowNotifications', 'call', 'door', 'kind', 'notifications', 'notify', 'onConnection', 'onEvents', 'pickFile', 'setLanguage'],
    strangers: [],
    address: 'app://panel/index.html',
  })
})

test("the channels are the contract's, no more", async ({ panel }) => {
  const channels = await appOf(panel).evaluate(({ ipcMain }) => ({
    invoked: [...(ipcMain as unknown as { _invokeHandlers: Map<string, unknown> })._invokeHandlers.keys()].sort(),
    // 'error' is Electron's own.
    sent: ipcMain
      .eventNames()
      .map(String)
      .filter((name) => name !== 'error'),
  }))
  expect(channels).toEqual({
    invoked: [...methods.map(ipcChannelOf), ipcPickFile].sort(),
    sent: [ipcLanguage, ipcNotify, ipcSubscribe, ipcWorkerPort],
  })
})

test('a payload that does not fit is refused on the other side', async ({ panel }) => {
  const answer = await panel.page.evaluate(() => {
    const call = window.panelShell?.call as unknown as (method: string, params: unknown) => Promise<{ error?: { code: string } }>
    return Promise.all([call('replica', { id: 'x' }), call('createCluster', { name: '../x', replicas: 4 }), call('eval', {})])
  })
  expect(answer.map((result) => result.error?.code)).toEqual(['bad-request', 'bad-request', 'not-found'])
})

test("a worker's port answers what a worker may ask, and nothing else", async ({ panel }) => {
  const answers = await panel.page.evaluate(
    (name) =>
      new Promise<readonly unknown[]>((resolve) => {
        const { port1, port2 } = new MessageChannel()
        const heard: unknown[] = []
        port1.onmessage = ({ data }) => {
          heard.push(data)
          if ((data as { id: number }).id === 3) resolve(heard)
        }
        window.postMessage(name, location.origin, [port2])
        port1.postMessage({ id: 1, method: 'host', params: {} })
        port1.postMessage('messages')
        port1.postMessage({ id: 2, method: 'messages', params: { from: 'x' } })
        port1.postMessage({ id: 3, method: 'messages', params: { from: 0, to: 1 } })
      }),
    ipcWorkerPort,
  )
  expect(answers).toMatchObject([
    { id: 2, result: { ok: false, error: { code: 'bad-request' } } },
    { id: 3, result: { ok: false, error: { code: 'no-cluster' } } },
  ])
})

test('another window of the app is not listened to', async ({ panel }) => {
  const answer = await appOf(panel).evaluate(async ({ app, BrowserWindow }) => {
    const preload = `${app.getAppPath()}/out/preload/index.cjs`
    const other = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true, contextIsolation: true } })
    await other.loadURL('app://panel/index.html')
    const result: unknown = await other.webContents.executeJavaScript("window.panelShell.call('host', {})")
    other.destroy()
    return result
  })
  expect(answer).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
})

test('navigation, windows, webviews, permissions and the network are denied', async ({ panel }) => {
  const before = panel.page.url()
  const opened = await panel.page.evaluate(async () => {
    const window_ = window.open('https://example.com/')
    const link = document.createElement('a')
    link.href = 'https://example.com/'
    document.body.append(link)
    link.click()
    link.remove()
    const notifications = await Notification.requestPermission()
    const media = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
      () => 'granted',
      () => 'denied',
    )
    const network = await fetch('https://example.com/').then(
      () => 'reached',
      () => 'denied',
    )
    return { window: window_ === null, notifications, media, network }
  })
  expect(opened).toEqual({ window: true, notifications: 'denied', media: 'denied', network: 'denied' })
  expect(panel.page.url()).toBe(before)
  expect(await appOf(panel).evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1)
})

test('the custom protocol serves nothing outside the page', async ({ panel }) => {
  const statuses = await appOf(panel).evaluate(async ({ net }) => {
    const ask = async (address: string): Promise<number> => (await net.fetch(address, { bypassCustomProtocolHandlers: false })).status
    return Promise.all(
      [
        'app://panel/index.html',
        'app://panel/..%2fmain%2findex.cjs',
        'app://panel/%2e%2e/%2e%2e/package.json',
        'app://other/index.html',
      ].map(ask),
    )
  })
  expect(statuses).toEqual([200, 404, 404, 404])
})

test('a second start gives way to the first', async ({ panel }) => {
  const locked = await appOf(panel).evaluate(({ app }) => app.hasSingleInstanceLock())
  expect(locked).toBe(true)
})

test('the menu has accelerators, and goes to screens without loading the page anew', async ({ panel }) => {
  await panel.page.evaluate(() => (document.body.dataset['same'] = 'yes'))
  const accelerators = await appOf(panel).evaluate(({ Menu }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap((item) => item.submenu?.items ?? []) ?? []
    items.find((item) => item.accelerator === 'CmdOrCtrl+2')?.click()
    return items.filter((item) => item.accelerator !== undefined && item.accelerator !== null).length
  })
  expect(accelerators).toBeGreaterThan(8)
  await expect(panel.page).toHaveURL(/#\/log/)
  expect(await panel.page.evaluate(() => document.body.dataset['same'])).toBe('yes')
})
