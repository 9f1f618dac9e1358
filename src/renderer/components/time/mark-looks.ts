/** How marks of the time bar look and read: an icon, a tone and words for each kind. */
import { Flag, Gavel, Layers, StickyNote, TriangleAlert } from '@lucide/vue'
import type { Component } from 'vue'
import type { TimeMark } from '../../stores/time-bar.ts'
import { t } from '../../i18n/index.ts'
import { visible } from '../../lib/format.ts'
import { countWords, sentenceOf } from '../../i18n/words.ts'

export const markIcons: Readonly<Record<TimeMark['kind'], Component>> = {
  view: Layers,
  checkpoint: Flag,
  alarm: TriangleAlert,
  evidence: Gavel,
  annotation: StickyNote,
}

export const markTone = (mark: TimeMark): string => {
  if (mark.kind === 'alarm') return mark.alarm.severity === 'critical' ? 'bad' : 'warn'
  return { view: 'move', checkpoint: 'idle', evidence: 'bad', annotation: 'info' }[mark.kind]
}

export const markWords = (mark: TimeMark): string => {
  switch (mark.kind) {
    case 'view':
      return t('time.markView', { view: mark.view, primary: mark.primary })
    case 'checkpoint':
      return t('time.markCheckpoint', { seq: countWords(mark.seq) })
    case 'alarm':
      return sentenceOf(mark.alarm)
    case 'evidence':
      return t('time.markEvidence', { replica: mark.signer })
    case 'annotation':
      return visible(mark.annotation.text)
  }
}
