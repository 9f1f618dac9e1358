/** Clients that MAC their requests, and one that abuses it, against real replica processes. */
import { afterEach, expect, it } from 'vitest'
import { ClientLinks } from '../../src/cluster/client/links.ts'
import { ClientSession } from '../../src/cluster/client/session.ts'
import { dial, makeRequestMacs, type Dialer } from '../../src/link/index.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { asClientId, asClientTimestamp } from '../../src/pbft/protocol/ids.ts'
import { encodeOperation } from '../../src/pbft/service/index.ts'
import { encodeMessage, requestBody, requestContext } from '../../src/pbft/wire/index.ts'
import { prepareCluster, type Running } from '../support/processes.ts'
import { until } from '../support/until.ts'

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

const startCluster = async (): Promise<Running> => {
  const cluster = await prepareCluster(4, { authentication: 'mac' })
  endings.push(() => cluster.close())
  await Promise.all([0, 1, 2, 3].map((id) => cluster.start(id)))
  return cluster
}

const connect = async ({ cluster: { manifest, operator } }: Running): Promise<ClientLinks> => {
  const links = new ClientLinks({ directory: directoryOf(manifest), manifest, principal: { name: 'operator', key: operator } })
  endings.push(() => links.close())
  await until(() => links.connected === 4)
  return links
}

const put = async (session: ClientSession, value: string): Promise<void> => {
  const outcome = await session.run(encodeOperation({ type: 'put', key: 'k', value }), false, 20_000)
  expect(outcome).toMatchObject({ cause: null })
}

it('runs requests and reads with MACs, over a restart of a replica', { timeout: 60_000 }, async () => {
  const cluster = await startCluster()
  const links = await connect(cluster)
  expect(links.authenticate({ ...bodyOf('operator/s', 1) }, false).kind).toBe('macs')
  const session = new ClientSession(links, 4, 's')
  endings.push(() => session.close())
  for (let i = 0; i < 20; i++) await put(session, String(i))
  expect(await session.run(encodeOperation({ type: 'get', key: 'k' }), true, 20_000)).toMatchObject({ cause: null })
  // Its link, and with it the key, is another one afterwards.
  await cluster.kill(2)
  await until(() => links.connected === 3)
  await put(session, 'without')
  await cluster.start(2)
  await until(() => links.connected === 4)
  for (let i = 0; i < 20; i++) await put(session, String(i))
  for (const id of [0, 1, 3]) expect((await cluster.report(id)).view).toBe(0)
})

const bodyOf = (client: string, timestamp: number) =>
  ({
    type: 'request',
    client: asClientId(client),
    timestamp: asClientTimestamp(timestamp),
    operation: encodeOperation({ type: 'put', key: 'bad', value: String(timestamp) }),
    readOnly: false,
    replier: null,
  }) as const

it('pitfall 13: a client whose MACs hold at the primary only costs at most one view change', { timeout: 60_000 }, async () => {
  const cluster = await startCluster()
  const { manifest, guest } = cluster.cluster
  const links = await connect(cluster)
  const session = new ClientSession(links, 4, 's')
  endings.push(() => session.close())
  await put(session, 'before')
  const dialers = manifest.replicas.map((to): Dialer => {
    const identity = { role: 'client', name: 'guest', key: guest } as const
    return dial({
      directory: directoryOf(manifest),
      identity,
      to,
      onLink: () => ({ onMessages: () => undefined, onClose: () => undefined }),
    })
  })
  endings.push(() => dialers.forEach((dialer) => dialer.close()))
  await until(() => dialers.every((dialer) => dialer.link !== null))
  let timestamp = 0
  const attack = (primary: number): void => {
    const body = bodyOf('guest/1', ++timestamp)
    const keys = dialers.map((dialer, id) => (id === primary ? (dialer.link?.requestKey ?? null) : null))
    const macs = makeRequestMacs(keys, requestContext(manifest.clusterId), requestBody(body))
    dialers[primary]?.link?.send(encodeMessage({ ...body, authentication: { kind: 'macs', macs } }))
  }
  attack(0)
  await until(async () => (await cluster.report(1)).view === 1)
  // Whoever leads now, and could not verify it then, takes no MACs of this client; the other sessions go on.
  for (let i = 0; i < 30; i++) {
    attack(1)
    await put(session, `after ${i}`)
  }
  const reports = await Promise.all([1, 2, 3].map((id) => cluster.report(id)))
  expect(reports.map((report) => report.view)).toEqual([1, 1, 1])
  // The old primary has passed the request on to the new one, where it fails once more.
  expect(reports.map((report) => report.rejections['unverified-request'])).toEqual([2, 1, 1])
  expect(reports[0]?.rejections['held-to-signatures']).toBe(30)
})
