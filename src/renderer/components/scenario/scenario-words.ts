/** A scenario's texts in the language on the screen, and what its steps look like. */
import { Check, CircleDashed, Eye, Hourglass, LoaderCircle, Minus, X } from '@lucide/vue'
import type { Component } from 'vue'
import type { Observation, ScenarioText, StepPhase } from '../../../contract/scenarios.ts'
import { currentLocale, say } from '../../i18n/index.ts'
import { sentenceOf } from '../../i18n/words.ts'

/** English where a file does not have the language. */
export const textOf = (text: ScenarioText): string => text[currentLocale()] ?? text.en

/** What was seen, with the names of states in the language. */
export function observationWords({ key, parameters, sentence }: Observation): string {
  const state = parameters['state']
  const shown = typeof state === 'string' ? { ...parameters, state: say(`replicaState.${state}`, {}, state) } : parameters
  return sentenceOf({ key, parameters: shown, sentence })
}

export interface StepLook {
  readonly icon: Component
  readonly tone: 'ok' | 'bad' | 'info' | 'warn' | 'idle'
  readonly spins: boolean
}

export const stepLooks: Readonly<Record<StepPhase, StepLook>> = {
  pending: { icon: CircleDashed, tone: 'idle', spins: false },
  expecting: { icon: Hourglass, tone: 'warn', spins: false },
  acting: { icon: LoaderCircle, tone: 'info', spins: true },
  checking: { icon: Eye, tone: 'info', spins: false },
  held: { icon: Check, tone: 'ok', spins: false },
  failed: { icon: X, tone: 'bad', spins: false },
  'not-reached': { icon: Minus, tone: 'idle', spins: false },
}
