/** Short messages in the corner: what an act did, with an undo where there is one, and what needs attention. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

export interface Notice {
  readonly id: number
  readonly tone: 'ok' | 'info' | 'warn' | 'bad'
  readonly text: string
  readonly detail: string | null
  readonly undo: (() => void) | null
  /** What it is about; a newer one about the same takes its place. */
  readonly topic: string | null
  /** Stays until it is closed by hand. */
  readonly sticky: boolean
}

const shownMs = 6_000
const undoShownMs = 10_000
/** What failed says what to do, which takes its time to read. */
const badShownMs = 20_000
const shownMax = 4

const timeOf = ({ tone, undo }: Notice): number => {
  if (tone === 'bad') return badShownMs
  return undo === null ? shownMs : undoShownMs
}

export const useNotices = defineStore('notices', () => {
  const shown = shallowRef<readonly Notice[]>([])
  let nextId = 1

  const close = (id: number): void => {
    shown.value = shown.value.filter((notice) => notice.id !== id)
  }

  function show(notice: Partial<Notice> & Pick<Notice, 'tone' | 'text'>): void {
    const whole: Notice = { id: nextId++, detail: null, undo: null, topic: null, sticky: false, ...notice }
    const others = shown.value.filter((other) => (whole.topic === null ? other.text !== whole.text : other.topic !== whole.topic))
    const drop = others.length >= shownMax ? others.find((other) => !other.sticky) : undefined
    shown.value = [...others.filter((other) => other !== drop), whole]
    if (!whole.sticky) setTimeout(() => close(whole.id), timeOf(whole))
  }

  /** Takes away what offers to undo something that is undone already, or is about a cluster that is gone. */
  const withdraw = (outdated: (notice: Notice) => boolean): void => {
    shown.value = shown.value.filter((notice) => !outdated(notice))
  }

  return { shown, show, close, withdraw }
})
