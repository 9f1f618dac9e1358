/** What the time bar shows of the run: the window, the recorded timeline in it, and the ways to move the moment. */
import { useThrottleFn } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { Annotation } from '../../contract/runs.ts'
import { markShownAfterMs, type Mark, type Timeline } from '../../contract/timeline.ts'
import { framed, stepOf, windowOf, wholeRun, zoomed, type TimeFrame } from '../lib/time-window.ts'
import { useCluster } from './cluster.ts'
import { useLink } from './link.ts'
import { useTimeCursor } from './time-cursor.ts'

const refreshMs = 1_000
const binsMax = 600

/** What happened, and what somebody wrote down. */
export type TimeMark = Mark | { readonly kind: 'annotation'; readonly at: number; readonly annotation: Annotation }

export const useTimeBar = defineStore('time-bar', () => {
  const link = useLink()
  const cluster = useCluster()
  const cursor = useTimeCursor()
  const frame = ref<TimeFrame>(wholeRun)
  const timeline = shallowRef<Timeline | null>(null)
  const annotations = shallowRef<readonly Annotation[]>([])
  /** What `timeline` is of. */
  const drawn = shallowRef({ from: 0, to: 1 })
  const first = computed(() => timeline.value?.first ?? null)
  /** What is too short to be seen in the window does not move it: of a long run it is asked seldom. */
  const grainMs = computed(() => Math.max(refreshMs, (frame.value.spanMs ?? cluster.liveNow - (first.value ?? cluster.liveNow)) / binsMax))
  const now = computed(() => Math.ceil(cluster.liveNow / grainMs.value) * grainMs.value)
  const window = computed(() => windowOf(frame.value, first.value, now.value))
  const marks = computed((): readonly TimeMark[] =>
    [
      ...(timeline.value?.marks ?? []),
      ...annotations.value.map((annotation) => ({ kind: 'annotation', at: annotation.at, annotation }) as const),
    ].sort((a, b) => a.at - b.at),
  )
  /** Counts the clusters: an answer about an earlier one is not drawn. */
  let generation = 0

  async function ask(): Promise<void> {
    if (!cluster.open) return
    const mine = generation
    const asked = window.value
    // The record counts by the second.
    const bins = Math.min(binsMax, Math.max(1, Math.floor((asked.to - asked.from) / 1_000)))
    const result = await link.call('timeline', { ...asked, bins })
    if (!result.ok || mine !== generation) return
    const isFirst = timeline.value === null
    timeline.value = result.value
    drawn.value = asked
    // Only now it is known how long the run is.
    if (isFirst && frame.value.spanMs === null) void ask()
  }
  async function askAnnotations(): Promise<void> {
    if (!cluster.open) return
    const mine = generation
    const result = await link.call('annotations', {})
    if (result.ok && mine === generation) annotations.value = result.value
  }
  link.onEvent((event) => {
    if (event.type === 'runs') void askAnnotations()
  })
  const refresh = useThrottleFn(ask, refreshMs / 2, true)
  watch([window, () => cluster.open], () => void refresh(), { immediate: true })
  watch(
    () => cluster.open,
    (open) => {
      if (open) return void askAnnotations()
      generation += 1
      timeline.value = null
      annotations.value = []
      frame.value = wholeRun
    },
    { immediate: true },
  )
  watch(
    () => cursor.wanted,
    (at) => {
      if (at !== null) frame.value = framed(frame.value, at, first.value, now.value)
      else if (frame.value.spanMs !== null) frame.value = { ...frame.value, end: null }
    },
  )

  /** A time after the last record is the present. */
  function go(at: number): void {
    if (at >= cluster.liveNow - refreshMs) cursor.goLive()
    else cursor.set(Math.max(at, first.value ?? at))
  }
  const from = (): number => cursor.wanted ?? cluster.liveNow
  const step = (steps: number): void => go(from() + steps * stepOf(window.value))
  const toFirst = (): void => go(first.value ?? cluster.liveNow)

  /** What the host says comes next, or before, or an annotation that comes sooner. */
  function nearest(direction: 1 | -1, told: number | null): number | null {
    const here = from()
    const noted = annotations.value.map(({ at }) => at + markShownAfterMs).filter((at) => (direction === 1 ? at > here + 1 : at < here - 1))
    const times = told === null ? noted : [...noted, told]
    return times.length === 0 ? null : direction === 1 ? Math.min(...times) : Math.max(...times)
  }
  /** To what happened next, or before; beyond the last to the present, and beyond the first to the beginning. */
  async function toMark(direction: 1 | -1): Promise<void> {
    const result = await link.call('moment', { at: Math.round(from()) })
    if (!result.ok) return
    const at = nearest(direction, result.value[direction === 1 ? 'nextMark' : 'previousMark'])
    if (at !== null) cursor.set(at)
    else if (direction === 1) cursor.goLive()
    else toFirst()
  }
  /** To a thing that happened at a time: to where it shows. */
  const toMarkAt = (at: number): void => cursor.set(at + markShownAfterMs)

  function zoom(factor: number, around = cursor.wanted ?? window.value.to): void {
    frame.value = zoomed(frame.value, factor, around, first.value, now.value)
  }
  /** So much of the window to the right, or left. */
  function pan(share: number): void {
    const { from: left, to } = window.value
    if (frame.value.spanMs === null) return
    const end = to + share * (to - left)
    frame.value = { spanMs: frame.value.spanMs, end: end >= now.value ? null : end }
  }
  const showWhole = (): void => {
    frame.value = wholeRun
  }

  return { frame, window, drawn, timeline, marks, first, now, go, step, toFirst, toMark, toMarkAt, zoom, pan, showWhole }
})
