/** A fence that cannot fail proves nothing: each planted violation has to be refused, by the rule that is meant to. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
let folder = ''

const plant = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const rulesBroken = (): readonly string[] => {
  const args = [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
    'src',
  ]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1_048_576 })
  if (stdout === '') throw new Error(stderr)
  const report = JSON.parse(stdout) as { summary: { violations: readonly { rule: { name: string } }[] } }
  return [...new Set(report.summary.violations.map((violation) => violation.rule.name))].sort()
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-panel-fence-'))
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.base.json', 'package.json']) copyFileSync(join(root, file), join(folder, file))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the import fence', () => {
  test('lets through what the table allows', () => {
    plant('src/pbft/protocol/a.ts', 'export const a = 1\n')
    plant('src/pbft/wire/b.ts', "import { a } from '../protocol/a.ts'\nexport const b = a\n")
    plant(
      'src/link/c.ts',
      "import { createHash } from 'node:crypto'\nimport { WebSocket } from 'ws'\nimport { b } from '../pbft/wire/b.ts'\nexport const c = [createHash, WebSocket, b]\n",
    )
    plant('src/cluster/recorder/d.ts', "import Database from 'better-sqlite3'\nexport const d = Database\n")
    expect(rulesBroken()).toEqual([])
  })

  test('refuses another room', () => {
    plant('src/cluster/host.ts', 'export const host = 1\n')
    plant('src/pbft/protocol/a.ts', "import { host } from '../../cluster/host.ts'\nexport const a = host\n")
    plant('src/replica/b.ts', "import { host } from '../cluster/host.ts'\nexport const b = host\n")
    expect(rulesBroken()).toEqual(['pbft-protocol-rooms', 'replica-rooms'])
  })

  test('refuses another room even for a type', () => {
    plant('src/cluster/host.ts', 'export type Host = string\n')
    plant('src/renderer/a.ts', "import type { Host } from '../cluster/host.ts'\nexport type A = Host\n")
    expect(rulesBroken()).toEqual(['renderer-rooms'])
  })

  test("refuses Node's modules in a pure room", () => {
    plant('src/pbft/service/a.ts', "import { readFileSync } from 'node:fs'\nexport const a = readFileSync\n")
    expect(rulesBroken()).toEqual(['pbft-service-node'])
  })

  test('refuses packages that are not on the list', () => {
    plant('src/pbft/protocol/a.ts', "import { sha256 } from '@noble/hashes/sha2.js'\nexport const a = sha256\n")
    plant('src/cluster/b.ts', "import Database from 'better-sqlite3'\nexport const b = Database\n")
    expect(rulesBroken()).toEqual(['cluster-npm', 'core-without-npm', 'pbft-protocol-npm'])
  })

  test('refuses a native module that the shell reaches by way of others', () => {
    plant('src/cluster/recorder/store.ts', "import Database from 'better-sqlite3'\nexport const store = Database\n")
    plant('src/cluster/host.ts', "import { store } from './recorder/store.ts'\nexport const host = store\n")
    plant('src/web/cli.ts', "import { host } from '../cluster/host.ts'\nhost()\n")
    expect(rulesBroken()).toEqual(['shell-without-native'])
  })

  test('refuses a cycle', () => {
    plant('src/contract/a.ts', "import { b } from './b.ts'\nexport const a = () => b\n")
    plant('src/contract/b.ts', "import { a } from './a.ts'\nexport const b = () => a\n")
    expect(rulesBroken()).toEqual(['no-cycles'])
  })
})
