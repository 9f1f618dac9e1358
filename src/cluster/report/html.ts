/** HTML put together so that text stays text: whatever is filled in is escaped, unless it was made here. */

/** A piece of HTML that may go into another as it is. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Piece = Html | string | number | null | readonly Piece[]

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Control characters, and what turns the direction of text. */
const isUnseen = (code: number): boolean =>
  (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) ||
  code === 0x7f ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069)

/** What cannot be seen is shown as a mark. */
const escape = (text: string): string =>
  Array.from(text, (sign) => (isUnseen(sign.codePointAt(0) ?? 0) ? '\u25a1' : (escapes[sign] ?? sign))).join('')

const render = (piece: Piece): string => {
  if (piece === null) return ''
  if (piece instanceof Html) return piece.text
  return typeof piece === 'object' ? piece.map(render).join('') : escape(String(piece))
}

/** A template whose values are escaped. */
export const html = (parts: TemplateStringsArray, ...values: readonly Piece[]): Html =>
  new Html(parts.reduce((text, part, i) => text + part + (i < values.length ? render(values[i] ?? null) : ''), ''))
