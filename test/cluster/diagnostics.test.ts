import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestHost, type TestHost } from './support/host.ts'

let test: TestHost
const token = 'kQ3vN8bX2mZ7pL5rT9wY4sD6fG1hJ0cA'

beforeAll(async () => {
  test = openTestHost()
  await test.call('createCluster', { name: 'four', replicas: 4, durability: 'process' })
  await test.call('openCluster', { name: 'four' })
})
afterAll(() => test.dispose())

it('the diagnostics file has versions, status, alarms and logs, and no key and no token, even where a log leaked them', async () => {
  const keys = join(test.folder, 'data/clusters/four/keys')
  const secrets = readdirSync(keys)
    .filter((name) => name.endsWith('.key'))
    .map((name) => readFileSync(join(keys, name), 'utf8').trim())
  expect(secrets).toHaveLength(5)
  appendFileSync(
    join(test.folder, 'logs/leak.log'),
    `${secrets.join(' ')}\nhttp://h/#token=${token}\nBearer ${token}\n{"token":"${token}"}\nlast line\n`,
  )

  const { file, bytes } = await test.call('diagnostics', {})
  expect(statSync(file)).toMatchObject({ size: bytes })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const text = readFileSync(file, 'utf8')
  for (const secret of [...secrets, token]) expect(text).not.toContain(secret)
  const content = JSON.parse(text) as {
    about: { versions: Record<string, string> }
    cluster: { manifest: { name: string }; status: { replicas: unknown[] }; alarms: unknown[] }
    logs: { file: string; tail: string[] }[]
  }
  expect(content.about.versions).toHaveProperty('node')
  expect(content.cluster.manifest.name).toBe('four')
  expect(content.cluster.status.replicas).toHaveLength(4)
  expect(content.logs.find((log) => log.file === 'leak.log')?.tail).toContain('last line')
})

it('it can be written with no cluster open', async () => {
  await test.call('closeCluster', {})
  const { file } = await test.call('diagnostics', {})
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ cluster: null })
})
