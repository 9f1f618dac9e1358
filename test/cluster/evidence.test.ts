/** Evidence of a real lie: out of a running cluster into a file, and judged by another process that has cluster.json and nothing else. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { evidenceText } from '../../src/contract/evidence.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

const cli = join(import.meta.dirname, '../../src/web/cli.ts')
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'run', ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

let test: TestHost
beforeAll(async () => {
  test = openTestHost()
  await test.call('createCluster', { name: 'liars', replicas: 4, durability: 'process' })
  await test.call('openCluster', { name: 'liars' })
})
afterAll(() => test.dispose())

it('an equivocating primary is convicted elsewhere, and by no other file', async () => {
  const submit = () => test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 40_000 })
  await submit()
  const { primary } = await test.until('there is a primary', (status) => status.primary !== null)
  await test.call('injectFault', { fault: { type: 'byzantine', replica: primary ?? 0, behaviour: 'equivocate' } })
  const found = await eventually(
    'there is evidence',
    async () => {
      await submit()
      return (await test.call('evidence', {}))[0]
    },
    60_000,
  )
  const { name, file } = await test.call('exportEvidence', { id: found.id })
  const folder = join(test.folder, 'elsewhere')
  mkdirSync(folder)
  const own = join((await test.call('clusters', {}))[0]?.folder ?? '', 'cluster.json')
  const manifest = join(folder, 'cluster.json')
  copyFileSync(own, manifest)
  const path = join(folder, name)
  writeFileSync(path, evidenceText(file))
  const convicted = run('verify', path, '--cluster', manifest, '--json')
  expect([convicted.code, JSON.parse(convicted.out)]).toMatchObject([0, { convicted: true, signer: primary, kind: 'pre-prepare' }])

  const out = join(folder, 'out')
  expect(run('evidence', '--cluster', own, '--out', out)).toMatchObject({ code: 0 })
  const files = readdirSync(out)
  expect(files).toContain(name)
  for (const one of files) expect(run('verify', join(out, one), '--cluster', manifest)).toMatchObject({ code: 0 })

  const text = readFileSync(path, 'utf8')
  const digit = file.second.bytes.at(-1) === '0' ? '1' : '0'
  writeFileSync(path, text.replace(file.second.bytes, file.second.bytes.slice(0, -1) + digit))
  expect(run('verify', path, '--cluster', manifest)).toMatchObject({ code: 1, out: expect.stringContaining('signature') })
  writeFileSync(path, text.slice(0, 100))
  expect(run('verify', path, '--cluster', manifest)).toMatchObject({ code: 2, out: '' })
  expect(await test.host.call('exportEvidence', { id: '../../cluster.json' })).toMatchObject({ ok: false, error: { code: 'not-found' } })
}, 120_000)
