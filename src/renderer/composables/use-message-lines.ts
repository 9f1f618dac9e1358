/** The canvas whose lines a worker draws: the newest scene as soon as the one before is on the screen. */
import { onBeforeUnmount, onMounted, shallowRef, type Ref } from 'vue'
import type { Drawn } from '../lib/message-index.ts'
import type { FromLines, ToLines } from '../workers/message-lines.ts'

export type LinesWanted = Omit<ToLines, 'canvas'> & { readonly drawn: Drawn }

export function useMessageLines(canvas: Readonly<Ref<HTMLCanvasElement | null>>) {
  const worker = new Worker(new URL('../workers/message-lines.ts', import.meta.url), { type: 'module' })
  /** How many lines can be seen. */
  const shown = shallowRef(0)
  let given: OffscreenCanvas | undefined
  let sent: Drawn | null = null
  let drawing = false
  let next: LinesWanted | null = null

  function draw(wanted: LinesWanted): void {
    if (drawing || given === undefined) {
      next = wanted
      return
    }
    drawing = true
    next = null
    const { drawn, ...rest } = wanted
    worker.postMessage({ ...rest, ...(drawn === sent ? {} : { drawn }) } satisfies ToLines)
    sent = drawn
  }

  worker.onmessage = (event: MessageEvent<FromLines>) => {
    shown.value = event.data
    drawing = false
    if (next !== null) draw(next)
  }
  onMounted(() => {
    given = canvas.value?.transferControlToOffscreen()
    if (given === undefined) return
    const nothing = { from: 0, to: 1, rows: [], kinds: [], selected: null, ratio: 1, colors: {}, width: 0, height: 0 }
    worker.postMessage({ ...nothing, canvas: given } satisfies ToLines, [given])
    drawing = true
  })
  onBeforeUnmount(() => worker.terminate())

  return { draw, shown }
}
