/** What a check saw, on its way to being shown: a message key with parameters, and its English sentence. */
import { scenarioSentences } from '../../contract/scenario-sentences.ts'
import type { Observation } from '../../contract/scenarios.ts'
import { alarmSentences, verdictSentences, viewReasonSentences } from '../../contract/verdicts.ts'
import { fillSentence, type MessageParameters } from '../sentence.ts'

export interface Seen {
  readonly key: string
  readonly parameters: MessageParameters
  readonly holds: boolean
  /** However long one waits, it stays so. */
  readonly isFinal?: boolean
}

const sentences: Readonly<Record<string, string>> = { ...scenarioSentences, ...verdictSentences, ...viewReasonSentences, ...alarmSentences }

export const observationOf = ({ key, parameters, holds }: Seen): Observation => ({
  key,
  parameters,
  sentence: fillSentence(sentences[key] ?? key, parameters),
  holds,
})
