/** The window comes back where it was, unless that is nowhere now. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clampBounds, loadWindowState, saveWindowState, type Rectangle } from '../../src/main/window-state.ts'

const screen: Rectangle = { x: 0, y: 0, width: 1_920, height: 1_080 }
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-panel-window-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('what was saved is loaded', async () => {
  const file = join(folder, 'window.json')
  const state = { bounds: { x: 10, y: 20, width: 1_000, height: 700 }, maximized: true }
  await saveWindowState(file, state)
  expect(loadWindowState(file, [screen])).toEqual(state)
})

test.each(['', '{', '{"bounds":null}', '{"bounds":{"x":0,"y":0,"width":1e9,"height":1},"maximized":false}'])(
  'a broken file %j is the default',
  (text) => {
    const file = join(folder, 'window.json')
    writeFileSync(file, text)
    expect(loadWindowState(file, [screen])).toEqual({ bounds: null, maximized: false })
  },
)

test('a window on a screen that is gone is placed by the system', () => {
  expect(clampBounds({ x: 5_000, y: 0, width: 1_000, height: 700 }, [screen])).toBeNull()
})

test('a window goes to the screen that it covers most', () => {
  const right: Rectangle = { x: 1_920, y: 0, width: 1_280, height: 1_024 }
  expect(clampBounds({ x: 1_800, y: 100, width: 1_000, height: 700 }, [screen, right])).toEqual({
    x: 1_920,
    y: 100,
    width: 1_000,
    height: 700,
  })
})

test('a clamped window lies inside a screen', () => {
  const rectangle = (size: number) =>
    fc.record({
      x: fc.integer({ min: -3_000, max: 3_000 }),
      y: fc.integer({ min: -3_000, max: 3_000 }),
      width: fc.integer({ min: 1, max: size }),
      height: fc.integer({ min: 1, max: size }),
    })
  fc.assert(
    fc.property(rectangle(9_000), fc.array(rectangle(4_000), { minLength: 1, maxLength: 4 }), (bounds, screens) => {
      const clamped = clampBounds(bounds, screens)
      if (clamped === null) return true
      return screens.some(
        (area) =>
          clamped.x >= area.x &&
          clamped.y >= area.y &&
          clamped.x + clamped.width <= area.x + area.width &&
          clamped.y + clamped.height <= area.y + area.height,
      )
    }),
  )
})
