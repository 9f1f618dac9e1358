/** The host's keys and codes turned into words of the language on the screen. */
import { faultSentence } from '../../contract/fault-sentences.ts'
import type { FaultRequest } from '../../contract/faults.ts'
import { monitorNames, type SlotPhase } from '../../contract/model.ts'
import type { DecodedOperation, OperationResult } from '../../contract/operations.ts'
import { stateIn } from '../../contract/state-words.ts'
import type { PanelError } from '../../contract/result.ts'
import { formatTimeOfDay } from '../lib/format.ts'
import { resultLine } from '../lib/operations.ts'
import { currentLocale, say, t, type MessageParameters } from './index.ts'

interface HostSentence {
  readonly key: string
  readonly parameters: MessageParameters
  readonly sentence: string
}

/** A sentence of the host; its own English when the key is not known here. */
export function sentenceOf({ key, parameters, sentence }: HostSentence): string {
  const shown: Record<string, string | number> = { ...parameters }
  if (typeof parameters['since'] === 'number') shown['since'] = formatTimeOfDay(parameters['since'])
  const monitor = monitorNames.find((name) => name === parameters['monitor'])
  if (monitor !== undefined) shown['monitor'] = t(`monitors.${monitor}`)
  const phase = parameters['phase']
  if (typeof phase === 'string') shown['phase'] = say(`phase.${phase}`, {}, phase)
  const state = parameters['state']
  if (typeof state === 'string') shown['state'] = stateIn(currentLocale(), state)
  const because = parameters['because']
  if (typeof because === 'string') shown['because'] = say(because, shown, '')
  return say(key, shown, sentence)
}

/** What went wrong and what to do, in the language; the host's own sentence is the detail. */
export const errorWords = (error: PanelError): string => say(`errors.${error.code}`, {}, error.message)

/** The same for a question, which changes nothing and can be asked again. */
export const questionErrorWords = (error: PanelError): string => (error.code === 'timeout' ? t('errors.noAnswer') : errorWords(error))

export const operationErrorWords = (code: string): string => say(`operationError.${code}`, {}, code)

/** What the service answered; an answer without a value says in words what that means for the operation. */
export function resultWords({ type }: DecodedOperation, result: OperationResult | null): string {
  if (result?.ok !== true || result.value !== null) return resultLine(result, operationErrorWords)
  if (type === 'put') return t('answer.stored')
  return t(type === 'delete' ? 'answer.nonePrevious' : 'answer.none')
}

/** A fault in a few words: "r0 isolated". */
export function faultWords(fault: FaultRequest): string {
  const { key, parameters } = faultSentence(fault)
  return say(key, parameters, key)
}

const formats = new Map<string, Intl.NumberFormat>()

/** Making one costs more than all else of a frame that shows a count. */
function numberFormat(maximumFractionDigits: number): Intl.NumberFormat {
  const key = `${currentLocale()} ${maximumFractionDigits}`
  const format = formats.get(key) ?? new Intl.NumberFormat(currentLocale(), { maximumFractionDigits })
  formats.set(key, format)
  return format
}

/** Figures in the language's grouping. */
export const countWords = (value: number | null): string => (value === null ? '–' : numberFormat(3).format(value))

export const rateWords = (value: number): string => numberFormat(value < 10 ? 1 : 0).format(value)

const reachWordsMax = 500
const reachWordsKnown = new Map<string, string>()

/** How far each replica got, a line for each. Remembered: nearly all rows of a log say the same, and a fling asks for thousands of them. */
export function reachWords(phases: readonly (SlotPhase | undefined)[]): string {
  const key = `${currentLocale()} ${phases.join()}`
  const known = reachWordsKnown.get(key)
  if (known !== undefined) return known
  const word = (phase: SlotPhase | undefined): string => (phase === undefined ? t('log.notReached') : t(`phase.${phase}`))
  const words = phases.map((phase, id) => t('log.phasesOf', { id, phase: word(phase) })).join('\n')
  if (reachWordsKnown.size >= reachWordsMax) reachWordsKnown.clear()
  reachWordsKnown.set(key, words)
  return words
}
