/** Figures, times and sentences of a report, in its language. */
import { monitorNames } from '../../contract/model.ts'
import type { DecodedOperation, OperationResult } from '../../contract/operations.ts'
import type { Locale } from '../../contract/screens.ts'
import { enSentences, zhSentences } from '../../contract/sentences.ts'
import { stateIn } from '../../contract/state-words.ts'
import type { ScenarioText } from '../../contract/scenarios.ts'
import { reportTexts, type ReportTexts } from './texts.ts'

type Parameters = Readonly<Record<string, string | number>>

const fill = (template: string, parameters: Parameters): string =>
  template.replace(/\{(\w+)\}/g, (place, name: string) => String(parameters[name] ?? place)).trim()

const sentences: Readonly<Record<Locale, Readonly<Record<string, string>>>> = { en: enSentences, 'zh-CN': zhSentences }
const valueCharsMax = 160

export class Words {
  readonly locale: Locale
  readonly #texts: ReportTexts

  constructor(locale: Locale) {
    this.locale = locale
    this.#texts = reportTexts[locale]
  }

  t(key: keyof ReportTexts, parameters: Parameters = {}): string {
    return fill(this.#texts[key], parameters)
  }

  /** A sentence of the host, by its key; `otherwise` where this program knows no such key. */
  sentence({ key, parameters }: { readonly key: string; readonly parameters: Parameters }, otherwise: string): string {
    const known = sentences[this.locale]
    const template = Object.hasOwn(known, key) ? known[key] : undefined
    if (template === undefined) return otherwise
    const shown: Record<string, string | number> = { ...parameters }
    if (typeof shown['since'] === 'number') shown['since'] = this.time(shown['since'])
    const monitor = monitorNames.find((name) => name === shown['monitor'])
    if (monitor !== undefined) shown['monitor'] = this.t(`monitor.${monitor}`)
    if (typeof shown['state'] === 'string') shown['state'] = stateIn(this.locale, shown['state'])
    const because = shown['because']
    if (typeof because === 'string') shown['because'] = Object.hasOwn(known, because) ? fill(known[because] ?? '', shown) : ''
    return fill(template, shown)
  }

  said(text: ScenarioText): string {
    return text[this.locale] ?? text.en
  }

  count(value: number): string {
    return new Intl.NumberFormat(this.locale, { maximumFractionDigits: 1 }).format(value)
  }

  /** ms, or seconds and minutes where that is easier to read. */
  span(ms: number | null): string {
    if (ms === null) return '–'
    if (ms < 1_000) return `${this.count(ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms))} ms`
    if (ms < 120_000) return `${this.count(Math.round(ms / 100) / 10)} s`
    return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
  }

  /** Date and time of day in UTC. */
  moment(ms: number): string {
    return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
  }

  /** Time of day in UTC, with milliseconds; what no calendar holds is a dash. */
  time(ms: number): string {
    return ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString().slice(11, 23) : '–'
  }

  operation(operation: DecodedOperation): string {
    const { type, ...fields } = operation
    const text = [type, ...Object.values(fields).map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)))].join(
      ' ',
    )
    return text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}… (${text.length})` : text
  }

  result(result: OperationResult | null): string {
    if (result === null) return '–'
    const text = result.ok ? (result.value === null ? 'ok' : JSON.stringify(result.value)) : result.error
    return text.length > valueCharsMax ? `${text.slice(0, valueCharsMax)}… (${text.length})` : text
  }
}
