/** The window's place and size, remembered, and never outside the screens that there are now. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import * as v from 'valibot'

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface WindowState {
  /** null: the system places it. */
  readonly bounds: Rectangle | null
  readonly maximized: boolean
}

export const sizeMin = { width: 900, height: 600 }
export const sizeDefault = { width: 1_440, height: 900 }

const whole = v.pipe(v.number(), v.integer(), v.minValue(-100_000), v.maxValue(100_000))
const stateSchema = v.strictObject({ bounds: v.strictObject({ x: whole, y: whole, width: whole, height: whole }), maximized: v.boolean() })

const overlap = (a: Rectangle, b: Rectangle): number => {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return Math.max(0, width) * Math.max(0, height)
}

const between = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), Math.max(low, high))

/**
 * Moves and shrinks `bounds` into the screen that it covers most. null when it covers none: that screen is gone.
 * @param screens work areas of the screens
 */
export const clampBounds = (bounds: Rectangle, screens: readonly Rectangle[]): Rectangle | null => {
  const best = screens.reduce<Rectangle | null>(
    (found, screen) => (overlap(bounds, screen) > (found === null ? 0 : overlap(bounds, found)) ? screen : found),
    null,
  )
  if (best === null) return null
  const width = between(bounds.width, Math.min(sizeMin.width, best.width), best.width)
  const height = between(bounds.height, Math.min(sizeMin.height, best.height), best.height)
  return {
    width,
    height,
    x: between(bounds.x, best.x, best.x + best.width - width),
    y: between(bounds.y, best.y, best.y + best.height - height),
  }
}

/** Reads the state; a missing or broken file is the default. */
export const loadWindowState = (file: string, screens: readonly Rectangle[]): WindowState => {
  try {
    const state = v.parse(stateSchema, JSON.parse(readFileSync(file, 'utf8')))
    return { bounds: clampBounds(state.bounds, screens), maximized: state.maximized }
  } catch {
    return { bounds: null, maximized: false }
  }
}

/** Writes the state. Where that fails, the next start has the default: not worth a word. */
export const saveWindowState = (file: string, state: { readonly bounds: Rectangle; readonly maximized: boolean }): Promise<void> =>
  writeFile(file, JSON.stringify(state)).catch(() => undefined)
