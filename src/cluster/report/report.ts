/**
 * A run as one HTML file: the first page for who has two minutes, the rest to dig into. It opens offline: no script, no address, and a
 * policy that would stop both.
 */
import { createHash } from 'node:crypto'
import type { Locale } from '../../contract/screens.ts'
import type { RecordedEntryWithLedger } from '../recorder/protocol.ts'
import type { RunFacts } from '../runs/figures.ts'
import type { RunHead } from '../runs/schemas.ts'
import { about, charts, checkpoints, evidence, faults, figures, journal, views } from './details.ts'
import { happened, heading, steps, titleOf, verdict, why } from './first-page.ts'
import { Html, html } from './html.ts'
import { modelOf } from './model.ts'
import { style } from './style.ts'
import { Words } from './words.ts'

export interface ReportInput {
  readonly head: RunHead
  readonly facts: RunFacts
  readonly entries: Iterable<readonly RecordedEntryWithLedger[]>
  readonly locale: Locale
}

const styleHash = createHash('sha256').update(style).digest('base64')
/** As one piece: a space more, and the policy would not know it. */
const styleElement = new Html(`<style>${style}</style>`)
const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`

/** The whole file. */
export const reportOf = ({ head, facts, entries, locale }: ReportInput): string => {
  const words = new Words(locale)
  const model = modelOf(head, facts, entries)
  return html`<!doctype html>
    <html lang="${locale}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${titleOf(head, words)} – ${words.t('title')}</title>
        ${styleElement}
      </head>
      <body>
        <main>
          ${heading(model, words)} ${verdict(model, words)} ${happened(model, words)} ${why(model, words)} ${steps(head.scenario, words)}
          ${figures(model, words)} ${charts(model, words)} ${faults(model, words)} ${views(model, words)} ${checkpoints(model, words)}
          ${evidence(model, words)} ${journal(model, words)} ${about(model, words)}
          <footer>${words.t('offline')}</footer>
        </main>
      </body>
    </html> `.text
}
