/** The browser shell against pages and programs that have no business with it, with a real browser on both sides. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, type Panel } from './support/panel.ts'

const servingOf = (panel: Panel) => {
  if (panel.serving === null) throw new Error('these are for the browser')
  return panel.serving
}

const refusedOf = async (panel: Panel): Promise<Readonly<Record<string, number>>> => {
  const { url, token } = servingOf(panel)
  const text = await (await fetch(`${url}/api/v1/metrics`, { headers: { authorization: `Bearer ${token}` } })).text()
  return Object.fromEntries(
    [...text.matchAll(/^pbft_panel_refused_total\{reason="(\w+)"\} (\d+)$/gm)].map(([, reason, count]) => [reason, Number(count)]),
  )
}

test('a page of another origin gets nothing, even with the token', async ({ panel }) => {
  const { url, token } = servingOf(panel)
  const stranger = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>stranger</title>'),
  )
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  const page = await panel.page.context().newPage()
  await page.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`)
  const before = await refusedOf(panel)
  const got = await page.evaluate(
    async ([base, secret]) => {
      const call = await fetch(`${base}/api/v1/status`, { headers: { authorization: `Bearer ${secret}` } }).then(
        () => 'answered',
        () => 'failed',
      )
      const form = await fetch(`${base}/api/v1/clusters`, { method: 'POST', mode: 'no-cors', body: '{"name":"x","replicas":4}' }).then(
        (response) => response.type,
        () => 'failed',
      )
      const socket = await new Promise<string>((resolve) => {
        const opened = new WebSocket(`${base.replace('http', 'ws')}/api/v1/socket`, ['pbft-panel', `token.${secret}`])
        opened.onopen = () => resolve('opened')
        opened.onerror = () => resolve('failed')
      })
      return { call, form, socket }
    },
    [url, token] as const,
  )
  // A form may be sent blindly; nothing of the answer is readable, and the panel refused it.
  expect(got).toEqual({ call: 'failed', form: 'failed', socket: 'failed' })
  const after = await refusedOf(panel)
  expect((after['origin'] ?? 0) - (before['origin'] ?? 0)).toBeGreaterThanOrEqual(3)
  expect(await panel.call('clusters', {})).toEqual([])
  stranger.close()
  stranger.closeAllConnections()
})

test('without the token the page asks for it, and takes the right one', async ({ panel }) => {
  const { url, token } = servingOf(panel)
  const context = await panel.page.context().browser()?.newContext()
  const page = await context?.newPage()
  if (page === undefined) throw new Error('no browser')
  await page.goto(url)
  await page.getByTestId('token-field').fill('wrong')
  await page.getByTestId('token-submit').click()
  await expect(page.getByTestId('token-field')).toBeVisible()
  await page.getByTestId('token-field').fill(token)
  await page.getByTestId('token-submit').click()
  await expect(page.getByTestId('app-ready')).toBeVisible()
  await context?.close()
})

test('the token leaves the address bar', async ({ panel }) => {
  expect(panel.page.url()).not.toContain(servingOf(panel).token)
})

test('a page that is framed, or under another name, is refused', async ({ panel }) => {
  const { url } = servingOf(panel)
  const rebound = await panel.page.context().request.get(url, { headers: { host: 'rebound.example' }, failOnStatusCode: false })
  expect(rebound.status()).toBe(421)
  const page = await panel.page.request.get(url)
  expect(page.headers()['content-security-policy']).toContain("frame-ancestors 'none'")
})
