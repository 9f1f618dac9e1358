import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cardPlace } from '../../src/renderer/lib/tour-steps.ts'

it('puts the card inside the window, and beside what it points at wherever there is room', () => {
  const size = fc.integer({ min: 20, max: 400 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_400 }), fc.integer({ min: 0, max: 860 }), size, size, (left, top, width, height) => {
      const view = { left: 0, top: 0, width: 1_440, height: 900 }
      const card = { width: 360, height: 220 }
      const anchor = { left, top, width: Math.min(width, 1_440 - left), height: Math.min(height, 900 - top) }
      const place = cardPlace(anchor, card, view)
      expect(place.left).toBeGreaterThanOrEqual(0)
      expect(place.top).toBeGreaterThanOrEqual(0)
      expect(place.left + card.width).toBeLessThanOrEqual(view.width)
      expect(place.top + card.height).toBeLessThanOrEqual(view.height)
      const covers =
        place.left < anchor.left + anchor.width &&
        anchor.left < place.left + card.width &&
        place.top < anchor.top + anchor.height &&
        anchor.top < place.top + card.height
      expect(covers).toBe(false)
    }),
  )
})

it('lies in the corner when there is nothing to point at, and inside however small the window is', () => {
  expect(cardPlace(null, { width: 360, height: 200 }, { left: 0, top: 0, width: 800, height: 600 })).toEqual({ left: 428, top: 388 })
  expect(
    cardPlace({ left: 0, top: 0, width: 320, height: 200 }, { width: 296, height: 300 }, { left: 0, top: 0, width: 320, height: 400 }),
  ).toEqual({
    left: 12,
    top: 88,
  })
})
