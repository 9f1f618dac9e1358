/** The lint rules that keep the pure rooms pure really fire there, and only there. */
import { join } from 'node:path'
import { ESLint } from 'eslint'
import { expect, test } from 'vitest'

const eslint = new ESLint({ cwd: join(import.meta.dirname, '../..') })

const rulesBroken = async (path: string, text: string): Promise<readonly (string | null)[]> => {
  const [result] = await eslint.lintText(text, { filePath: path })
  return (result?.messages ?? []).map((message) => message.ruleId)
}

const impure = ['Date.now()', 'Math.random()', 'performance.now()', 'process.pid', "Buffer.from('a')", 'setTimeout(() => 0, 1)']

test.each(impure)('%s is refused in the core', async (expression) => {
  const rules = await rulesBroken('src/pbft/protocol/planted.ts', `export const planted = ${expression}\n`)
  expect(rules).toHaveLength(1)
  expect(rules[0]).toMatch(/^no-restricted-(globals|properties)$/)
})

test.each(impure)('%s is allowed in a replica', async (expression) => {
  expect(await rulesBroken('src/replica/planted.ts', `export const planted = ${expression}\n`)).toEqual([])
})

test('any, enums and suppressed checks are refused everywhere', async () => {
  expect(await rulesBroken('src/web/planted.ts', 'export const planted: any = 1\n')).toEqual(['@typescript-eslint/no-explicit-any'])
  expect(await rulesBroken('src/web/planted.ts', 'export enum Planted {\n  a,\n}\n')).toEqual(['no-restricted-syntax'])
  expect(await rulesBroken('src/web/planted.ts', '// @ts-ignore\nexport const planted = 1\n')).toEqual([
    '@typescript-eslint/ban-ts-comment',
  ])
})
