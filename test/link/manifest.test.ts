import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { directoryOf, loadManifest, manifestBytesMax } from '../../src/link/manifest.ts'
import { makeCluster } from '../support/manifests.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-manifest-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const written = (text: string): string => {
  const file = join(folder, 'cluster.json')
  writeFileSync(file, text)
  return file
}

it('a manifest comes back, and its keys are looked up by name and id', () => {
  const { manifest } = makeCluster([1, 2, 3, 4])
  const loaded = loadManifest(written(JSON.stringify(manifest)))
  if (!loaded.ok) throw new Error(loaded.error.message)
  expect(loaded.value).toEqual(manifest)
  const directory = directoryOf(loaded.value)
  expect(directory.replicas.map((key) => key.hex)).toEqual(manifest.replicas.map((member) => member.publicKey))
  expect(directory.principals.get('operator')?.operator).toBe(true)
  expect(directory.principals.get('guest')?.operator).toBe(false)
})

it('says where a manifest is wrong', () => {
  const { manifest } = makeCluster([1, 2, 3, 4])
  const [first, ...rest] = manifest.replicas
  if (first === undefined) throw new Error('no replica')
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ ...manifest, format: 2 }, /format/],
    [{ ...manifest, surprise: 1 }, /surprise/],
    [{ ...manifest, replicas: rest }, /1 replica \(development\) or at least 4/],
    [{ ...manifest, replicas: [{ ...first, port: 0 }, ...rest] }, /replicas\.0\.port/],
    [{ ...manifest, replicas: [{ ...first, publicKey: 'ab' }, ...rest] }, /replicas\.0\.publicKey: must be 32 bytes/],
    [{ ...manifest, replicas: [{ ...first, publicKey: `01${'00'.repeat(31)}` }, ...rest] }, /replicas\.0\.publicKey: is no valid Ed25519/],
    [{ ...manifest, replicas: [...rest, first] }, /listed by id/],
    [[], /cluster\.json/],
  ]
  for (const [value, problem] of cases) {
    const loaded = loadManifest(written(JSON.stringify(value)))
    expect(loaded).toMatchObject({ ok: false, error: { code: 'bad-manifest' } })
    expect(!loaded.ok && loaded.error.message).toMatch(problem)
  }
})

it('refuses what is missing, no JSON, or too large', () => {
  expect(loadManifest(join(folder, 'none.json'))).toMatchObject({ error: { code: 'bad-manifest' } })
  expect(loadManifest(written('{"format":'))).toMatchObject({ error: { code: 'bad-manifest' } })
  expect(loadManifest(written(' '.repeat(manifestBytesMax + 1)))).toMatchObject({ error: { code: 'bad-manifest' } })
  expect(loadManifest(folder)).toMatchObject({ error: { code: 'bad-manifest' } })
})
