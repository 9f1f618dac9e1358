import { beforeEach, describe, expect, test } from 'vitest'
import { errorCodes } from '../../src/contract/result.ts'
import { monitorNames } from '../../src/contract/model.ts'
import { operationSchema } from '../../src/contract/operations.ts'
import { faultRequestSchema } from '../../src/contract/faults.ts'
import { parametersSchema } from '../../src/contract/manifest.ts'
import { voteReasons } from '../../src/contract/verdicts.ts'
import { en } from '../../src/renderer/i18n/en.ts'
import { enSentences, zhSentences } from '../../src/contract/sentences.ts'
import { i18n, say, t, tn } from '../../src/renderer/i18n/index.ts'
import { zhCN } from '../../src/renderer/i18n/zh-CN.ts'

interface Tree {
  readonly [key: string]: string | Tree
}
const flatten = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value]] : flatten(value, `${prefix}${key}.`)))

const english = new Map([...flatten(en), ...Object.entries(enSentences)])
const chinese = new Map([...flatten(zhCN), ...Object.entries(zhSentences)])
const parametersOf = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()

describe('the texts', () => {
  beforeEach(() => {
    i18n.global.locale.value = 'en'
  })

  test('both languages have the same keys', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
  })

  test('a text takes the same parameters in both languages', () => {
    const different = [...english].filter(([key, text]) => parametersOf(chinese.get(key) ?? '').join() !== parametersOf(text).join())
    expect(different).toEqual([])
  })

  test('every text compiles, and leaves no parameter unfilled', () => {
    for (const [locale, texts] of [
      ['en', english],
      ['zh-CN', chinese],
    ] as const) {
      i18n.global.locale.value = locale
      for (const [key, text] of texts) {
        const filled = say(key, Object.fromEntries(parametersOf(text).map((name) => [name, `<${name}>`])), '')
        expect(filled, key).not.toBe('')
        expect(filled, key).not.toMatch(/\{\w+\}/)
        for (const name of parametersOf(text)) if (!text.includes('|')) expect(filled, key).toContain(`<${name}>`)
      }
    }
    i18n.global.locale.value = 'en'
  })

  test('whatever the contract can name has words', () => {
    const names = [
      ...errorCodes.map((code) => `errors.${code}`),
      ...monitorNames.map((name) => `monitors.${name}`),
      ...operationSchema.options.map((option) => `operation.${option.entries.type.literal}`),
      ...faultRequestSchema.options.flatMap((option) => [`faultType.${option.entries.type.literal}`]),
      ...Object.keys(parametersSchema.entries).map((name) => `parameter.${name}`),
      ...voteReasons.map((reason) => `voteReason.${reason}`),
    ]
    expect(names.filter((name) => !english.has(name))).toEqual([])
  })

  test('an error says what is wrong and what to do', () => {
    for (const [locale, end] of [
      ['en', '. '],
      ['zh-CN', '。'],
    ] as const) {
      i18n.global.locale.value = locale
      // Two sentences at least, or two halves of one.
      const alone = errorCodes.filter(
        (code) =>
          say(`errors.${code}`, {}, '')
            .split(new RegExp(`[${end.trim()};；]`))
            .filter(Boolean).length < 2,
      )
      expect(alone, locale).toEqual([])
    }
    i18n.global.locale.value = 'en'
  })

  test('numbers choose between singular and plural', () => {
    expect(tn('top.tolerates', 1)).toBe('Tolerates 1 more fault')
    expect(tn('top.tolerates', 0)).toBe('Tolerates 0 more faults')
    expect(tn('top.tolerates', 2)).toBe('Tolerates 2 more faults')
  })

  test('parameters are text, whatever is in them', () => {
    expect(t('palette.empty', { text: '<b>{x} @:y | z</b>' })).toContain('<b>{x} @:y | z</b>')
  })

  test('an unknown key of the host falls back to its own sentence', () => {
    expect(say('verdict.from.the.future', {}, 'As the host put it.')).toBe('As the host put it.')
  })
})
