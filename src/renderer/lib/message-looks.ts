/** How a kind of message looks in the diagram: dash and marker as well as colour, so that none has to be told by colour alone. */
export type Marker = 'circle' | 'square' | 'triangle' | 'diamond' | 'ring' | 'plus' | 'bar' | 'dot'

export interface MessageLook {
  /** A custom property of the theme. */
  readonly token: string
  readonly dash: readonly number[]
  readonly marker: Marker
}

const looks: Readonly<Record<string, MessageLook>> = {
  request: { token: '--phase-request', dash: [], marker: 'circle' },
  'pre-prepare': { token: '--phase-pre-prepare', dash: [], marker: 'square' },
  prepare: { token: '--phase-prepare', dash: [7, 3], marker: 'triangle' },
  commit: { token: '--phase-commit', dash: [2, 3], marker: 'diamond' },
  reply: { token: '--phase-reply', dash: [10, 3, 2, 3], marker: 'ring' },
  checkpoint: { token: '--phase-checkpoint', dash: [4, 4], marker: 'plus' },
  'view-change': { token: '--phase-view-change', dash: [12, 4], marker: 'bar' },
  'new-view': { token: '--phase-view-change', dash: [], marker: 'bar' },
}
const other: MessageLook = { token: '--phase-other', dash: [1, 4], marker: 'dot' }

/** Every custom property that looks name. */
export const lookTokens: readonly string[] = [...new Set([...Object.values(looks), other].map(({ token }) => token))]

export const lookOfKind = (kind: string): MessageLook => looks[kind] ?? other

/** Draws a marker of about `size` pixels around a point as a path; the caller fills or strokes. */
export function traceMarker(path: CanvasPath, marker: Marker, x: number, y: number, size: number): void {
  const r = size / 2
  switch (marker) {
    case 'circle':
    case 'ring':
      path.moveTo(x + r, y)
      path.arc(x, y, r, 0, 2 * Math.PI)
      break
    case 'square':
      path.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8)
      break
    case 'triangle':
      path.moveTo(x, y - r * 1.1)
      path.lineTo(x + r * 1.1, y + r * 0.8)
      path.lineTo(x - r * 1.1, y + r * 0.8)
      path.closePath()
      break
    case 'diamond':
      path.moveTo(x, y - r * 1.25)
      path.lineTo(x + r * 1.1, y)
      path.lineTo(x, y + r * 1.25)
      path.lineTo(x - r * 1.1, y)
      path.closePath()
      break
    case 'plus':
      path.rect(x - r, y - r / 3, r * 2, (r * 2) / 3)
      path.rect(x - r / 3, y - r, (r * 2) / 3, r * 2)
      break
    case 'bar':
      path.rect(x - r / 2, y - r * 1.2, r, r * 2.4)
      break
    case 'dot':
      path.moveTo(x + r / 2, y)
      path.arc(x, y, r / 2, 0, 2 * Math.PI)
  }
}
