/**
 * Every text on the screen. Messages are compiled by vue-i18n's interpreter at first use, which needs no `eval` and so fits the
 * page's content security policy.
 */
import { createI18n } from 'vue-i18n'
import { locales, type Locale } from '../../contract/screens.ts'
import { enSentences, zhSentences } from '../../contract/sentences.ts'
import { en } from './en.ts'
import { zhCN } from './zh-CN.ts'

export { locales, type Locale }

type Leaves<T, Prefix extends string = ''> = {
  [K in keyof T & string]: T[K] extends string ? `${Prefix}${K}` : Leaves<T[K], `${Prefix}${K}.`>
}[keyof T & string]
/** The key of one of the panel's own texts. */
export type MessageKey = Leaves<typeof en>
export type MessageParameters = Readonly<Record<string, string | number>>

interface Tree {
  readonly [key: string]: string | Tree
}

const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  flatJson: true,
  missingWarn: false,
  fallbackWarn: false,
  messages: { en: { ...en, ...enSentences } as Tree, 'zh-CN': { ...zhCN, ...zhSentences } as Tree },
})

const translate = i18n.global.t as (key: string, named: MessageParameters, plural?: number) => string

/** The language on the screen; reactive. */
export const currentLocale = (): Locale => i18n.global.locale.value

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
}

/** One of the panel's texts. Reactive on the language. */
export const t = (key: MessageKey, parameters: MessageParameters = {}): string => translate(key, parameters)

/** The same with a number that chooses between singular and plural (`one | many`) and fills `{count}`. */
export const tn = (key: MessageKey, count: number, parameters: MessageParameters = {}): string =>
  translate(key, { count, ...parameters }, count)

/** A text whose key is put together at run time; `otherwise` when there is none. */
export const say = (key: string, parameters: MessageParameters, otherwise: string): string =>
  i18n.global.te(key, 'en') ? translate(key, parameters) : otherwise

export { i18n }
