/** English sentences of message keys (`contract/verdicts.ts`): the host fills them in, screens translate by key instead. */

import { faultSentences } from '../contract/fault-sentences.ts'
import { monitorSentences, partSentences } from '../contract/verdicts.ts'

export type MessageParameters = Readonly<Record<string, string | number>>

/** Those that another sentence may give as its reason. */
const sentences: Readonly<Record<string, string>> = { ...monitorSentences, ...partSentences, ...faultSentences }

/**
 * Puts parameters into a template's `{name}` places; `since` (ms since the epoch) becomes local time of day. A place without
 * a parameter stays as it is.
 */
export const fillSentence = (template: string, parameters: MessageParameters): string =>
  template
    .replace(/\{(\w+)\}/g, (place, name: string) => {
      const value = parameters[name]
      if (value === undefined) return place
      if (name === 'because') return fillSentence(sentences[String(value)] ?? '', parameters)
      return name === 'since' ? timeOfDay(Number(value)) : String(value)
    })
    .trim()

/** HH:MM:SS in the local zone. `ms` since the epoch. */
const timeOfDay = (ms: number): string => {
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** "r0, r2": replicas as every message shows them. */
export const replicaList = (ids: readonly number[]): string => ids.map((id) => `r${id}`).join(', ')
