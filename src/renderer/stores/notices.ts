/** Short messages in the corner: what an act did, with an undo where there is one, and what needs attention. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

export interface Notice {
  readonly id: number
  readonly tone: 'ok' | 'info' | 'warn' | 'bad'
  readonly text: string
  readonly detail: string | null
  readonly undo: (() => void) | null
  /** Stays until it is closed by hand. */
  readonly sticky: boolean
}

const shownMs = 6_000
const undoShownMs = 10_000
const shownMax = 4

export const useNotices = defineStore('notices', () => {
  const shown = shallowRef<readonly Notice[]>([])
  let nextId = 1

  const close = (id: number): void => {
    shown.value = shown.value.filter((notice) => notice.id !== id)
  }

  function show(notice: Partial<Notice> & Pick<Notice, 'tone' | 'text'>): void {
    const whole: Notice = { id: nextId++, detail: null, undo: null, sticky: false, ...notice }
    const same = shown.value.filter((other) => other.text !== whole.text || other.detail !== whole.detail)
    const drop = same.find((other) => !other.sticky)
    shown.value = [...(same.length >= shownMax && drop !== undefined ? same.filter((other) => other !== drop) : same), whole]
    if (!whole.sticky) setTimeout(() => close(whole.id), whole.undo === null ? shownMs : undoShownMs)
  }

  return { shown, show, close }
})
