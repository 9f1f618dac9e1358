/** The rest of a report: figures, charts, and tables to dig into. */
import { chart, lane, type Marks, type Series } from './charts.ts'
import { html, type Html } from './html.ts'
import type { ReportModel } from './model.ts'
import type { Words } from './words.ts'

const rowsMax = 300
const secondMs = 1_000

export const figures = ({ figures: made, span }: ReportModel, words: Words): Html => {
  const tiles: readonly (readonly [string, string, string])[] = [
    ['requests', words.t('requests'), words.count(made.requests)],
    ['batches', words.t('batches'), words.count(made.batches)],
    ['duration', words.t('duration'), words.span(span.to - span.from)],
    ['peakPerSecond', words.t('perSecond'), words.count(made.peakPerSecond)],
    ['p50Ms', words.t('p50'), words.span(made.p50Ms)],
    ['p99Ms', words.t('p99'), words.span(made.p99Ms)],
    ['faults', words.t('faults'), words.count(made.faults)],
    ['viewChanges', words.t('viewChangesShort'), words.count(made.viewChanges)],
    ['longestOutageMs', words.t('longestOutage'), words.span(made.longestOutageMs)],
    ['checkpoints', words.t('checkpoints'), words.count(made.checkpoints)],
    ['evidence', words.t('evidence'), words.count(made.evidence)],
    ['violations', words.t('violations'), words.count(made.violations)],
  ]
  return html`<section>
    <h2>${words.t('figures')}</h2>
    <dl class="tiles">
      ${tiles.map(
        ([key, name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd data-figure="${key}">${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`
}

const marksOf = ({ faults, facts }: ReportModel): Marks => ({
  bands: faults,
  lines: facts.documents.view.flatMap(({ view, began }) => (view > 0 && began !== null ? [began] : [])),
})

const keys = (marks: Marks, words: Words): Html[] => [
  ...(marks.bands.length > 0 ? [html`<span class="key band">${words.t('faultBand')}</span>`] : []),
  ...(marks.lines.length > 0 ? [html`<span class="key mark">${words.t('viewMark')}</span>`] : []),
]

export const charts = (model: ReportModel, words: Words): Html => {
  const { span, facts } = model
  const { sample } = facts.documents
  const marks = marksOf(model)
  const ends = html`<p class="ends"><span>${words.time(span.from).slice(0, 8)}</span><span>${words.time(span.to).slice(0, 8)}</span></p>`
  // A sample is of the second that begins at its time: it stands in the middle of it.
  const at = (time: number): number => time + secondMs / 2
  const throughput: Series = {
    name: words.t('throughput'),
    look: 'main',
    points: sample.map((one) => ({ at: at(one.at), value: one.requests })),
  }
  const latencies: Series[] = [
    { name: 'p50', look: 'main', points: sample.map((one) => ({ at: at(one.at), value: one.p50Ms })) },
    { name: 'p99', look: 'second', points: sample.map((one) => ({ at: at(one.at), value: one.p99Ms })) },
  ]
  const drawn =
    sample.length === 0
      ? html`<p class="soft">${words.t('noSamples')}</p>`
      : html`<figure>
            <figcaption><b>${words.t('throughput')}</b>${keys(marks, words)}</figcaption>
            ${chart([throughput], span, marks, (value) => words.count(value))}${ends}
          </figure>
          <figure>
            <figcaption><b>${words.t('latencies')}</b><span class="key">p50</span><span class="key second">p99</span></figcaption>
            ${chart(latencies, span, marks, (value) => words.count(value))}${ends}
          </figure>`
  const most = Math.max(1, ...model.lanes.flat())
  const lanes = model.lanes.map((counts, id) => html`<b>r${id}</b>${lane(counts, most, span, bandsOf(marks, model, id))}`)
  return html`<section class="page">
    <h2>${words.t('charts')}</h2>
    <div class="card">${drawn}</div>
    <h2>${words.t('lanes')}</h2>
    <p class="soft">${words.t('lanesText')}</p>
    <div class="card">
      <figure>
        <figcaption>${keys(marks, words)}</figcaption>
        <div class="lanes">${lanes}</div>
        ${ends}
      </figure>
    </div>
  </section>`
}

const namesReplica = ({ replica, victim, from, to, groups }: ReportModel['faults'][number]['parameters'], id: number): boolean =>
  [replica, victim, from, to].includes(id) || new RegExp(`\\br${id}\\b`).test(String(groups ?? ''))

/** In a replica's lane the faults that name it. */
const bandsOf = (marks: Marks, { faults }: ReportModel, id: number): Marks => ({
  ...marks,
  bands: faults.filter(({ parameters }) => namesReplica(parameters, id)),
})

const table = (heads: readonly (string | readonly [string])[], rows: readonly Html[], words: Words): Html =>
  rows.length === 0
    ? html`<p class="soft">${words.t('none')}</p>`
    : html`<div class="wide">
        <table>
          <thead>
            <tr>
              ${heads.map((head) => (typeof head === 'string' ? html`<th>${head}</th>` : html`<th class="num">${head[0]}</th>`))}
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>`

/** The latest of them. */
const latest = <T>(items: readonly T[]): readonly T[] => items.slice(-rowsMax)
const partNote = (shown: number, total: number, words: Words): Html | null =>
  shown === total ? null : html`<p class="soft">${words.t('shownOf', { shown: words.count(shown), total: words.count(total) })}</p>`

export const faults = (model: ReportModel, words: Words): Html => {
  const shown = latest(model.faults)
  const rows = shown.map(
    (fault) =>
      html`<tr>
        <td class="time">${words.time(fault.from)}</td>
        <td class="time">${fault.isHealed ? words.time(fault.to) : words.t('notHealed')}</td>
        <td class="text">${words.sentence(fault, fault.key)}</td>
      </tr>`,
  )
  return html`<section>
    <h2>${words.t('faultList')}</h2>
    <div class="card">
      ${table([words.t('from'), words.t('to'), words.t('what')], rows, words)}${partNote(shown.length, model.faults.length, words)}
    </div>
  </section>`
}

export const views = ({ facts }: ReportModel, words: Words): Html => {
  const all = facts.documents.view
  const shown = latest(all)
  const rows = shown.map((view) => {
    const reason = words.sentence({ key: view.reasonKey, parameters: view.reasonParameters }, view.reason)
    return html`<tr>
      <td class="num">${view.view}</td>
      <td>r${view.primary}</td>
      <td class="time">${view.began === null ? '–' : words.time(view.began)}</td>
      <td class="text">${reason}</td>
      <td class="num">${words.span(view.outageMs)}</td>
      <td>${view.votes.map(({ replica }) => `r${replica}`).join(' ')}</td>
    </tr>`
  })
  const heads = [
    [words.t('view')] as const,
    words.t('primary'),
    words.t('began'),
    words.t('why'),
    [words.t('outageShort')] as const,
    words.t('votes'),
  ]
  return html`<section>
    <h2>${words.t('views')}</h2>
    <div class="card">${table(heads, rows, words)}${partNote(shown.length, all.length, words)}</div>
  </section>`
}

export const checkpoints = ({ facts }: ReportModel, words: Words): Html => {
  const all = facts.documents.checkpoint
  const shown = latest(all)
  const rows = shown.map(({ seq, stable, digests }) => {
    const kinds = [...new Set(Object.values(digests))]
    const holdersOf = (digest: string): string =>
      Object.entries(digests)
        .flatMap(([id, held]) => (held === digest ? `r${id}` : []))
        .join(' ')
    const said = kinds.map((digest) => html`<div><code>${digest}</code> ${holdersOf(digest)}</div>`)
    const isEqual = kinds.length <= 1
    return html`<tr>
      <td class="num">${seq}</td>
      <td>${words.t(stable ? 'stable' : 'notStable')}</td>
      <td class="${isEqual ? 'good' : 'bad'}">${words.t(isEqual ? 'allEqual' : 'differ')}</td>
      <td class="text">${said}</td>
    </tr>`
  })
  return html`<section>
    <h2>${words.t('checkpoints')}</h2>
    <div class="card">
      ${table([[words.t('seq')], '', '', words.t('digests')], rows, words)}${partNote(shown.length, all.length, words)}
    </div>
  </section>`
}

export const evidence = ({ facts }: ReportModel, words: Words): Html | null => {
  const all = facts.documents.evidence
  if (all.length === 0) return null
  const shown = all.slice(0, 20)
  const pieces = shown.map((one) => {
    const statement = (number: number, { bytes, signature }: (typeof one)['first']): Html => {
      const cut = bytes.length > 2_000 ? `${bytes.slice(0, 2_000)}…` : bytes
      return html`<dt>${words.t('statement', { number })}</dt>
        <dd><code>${cut}</code></dd>
        <dt>${words.t('signature')}</dt>
        <dd><code>${signature}</code></dd>`
    }
    const head = words.t('signedBy', { replica: one.signer, seq: one.seq ?? '–', view: one.view ?? '–' })
    return html`<details>
      <summary>${one.kind}<span class="soft">${head}</span></summary>
      <dl class="facts">${statement(1, one.first)}${statement(2, one.second)}</dl>
    </details>`
  })
  return html`<section>
    <h2>${words.t('evidence')}</h2>
    <p class="soft">${words.t('evidenceText')}</p>
    <div class="card">${pieces}${partNote(shown.length, all.length, words)}</div>
  </section>`
}

export const journal = ({ facts, entries, figures: made, head }: ReportModel, words: Words): Html => {
  const { alarm, request } = facts.documents
  const alarms = latest(alarm).map(
    (one) =>
      html`<tr>
        <td class="time">${words.time(one.at)}</td>
        <td class="${one.severity === 'info' ? '' : 'bad'}">${words.t(`severity.${one.severity}`)}</td>
        <td class="text">${words.sentence(one, one.sentence)}</td>
      </tr>`,
  )
  const log = entries.map((entry) => {
    const more =
      entry.total > entry.requests.length
        ? html`<div class="soft">${words.t('andMore', { count: entry.total - entry.requests.length })}</div>`
        : null
    const lines = entry.requests.map(
      ({ operation, result, client }) =>
        html`<div>
          <code>${words.operation(operation)}</code> → <code>${words.result(result)}</code> <span class="soft">${client}</span>
        </div>`,
    )
    return html`<tr>
      <td class="num">${entry.seq}</td>
      <td class="num">${entry.view}</td>
      <td><code>${entry.digest.slice(0, 12)}</code></td>
      <td class="time">${words.time(entry.timeMs)}</td>
      <td class="text">${entry.total === 0 ? words.t('nullRequest') : lines}${more}</td>
    </tr>`
  })
  const requests = latest(request).map(({ client, operation, outcome, stages }) => {
    const came =
      outcome.state === 'completed'
        ? html`${words.result(outcome.result)} <span class="soft">${words.span(outcome.latencyMs)}</span>`
        : outcome.state
    return html`<tr>
      <td class="time">${words.time(stages[0]?.at ?? 0)}</td>
      <td>${client}</td>
      <td class="text"><code>${words.operation(operation)}</code></td>
      <td>${came}</td>
    </tr>`
  })
  const notes = head.info.annotations.map(
    ({ at, text }) =>
      html`<tr>
        <td class="time">${words.time(at)}</td>
        <td class="text">${text}</td>
      </tr>`,
  )
  const part = (name: string, shown: number, total: number, content: Html): Html =>
    html`<details>
      <summary>${name}<span class="soft">${words.count(total)}</span></summary>
      ${content}${partNote(shown, total, words)}
    </details>`
  const logHeads = [[words.t('seq')], [words.t('view')], words.t('digest'), words.t('time'), words.t('operation')] as const
  return html`<section>
    <h2>${words.t('journal')}</h2>
    <div class="card">
      ${part(words.t('alarms'), alarms.length, alarm.length, table([words.t('time'), words.t('severity'), words.t('what')], alarms, words))}
      ${part(words.t('log'), log.length, made.batches, table(logHeads, log, words))}
      ${part(words.t('requestsOfPanel'), requests.length, request.length, table([words.t('time'), words.t('client'), words.t('operation'), words.t('outcome')], requests, words))}
      ${part(words.t('annotations'), notes.length, notes.length, table([words.t('time'), words.t('what')], notes, words))}
    </div>
  </section>`
}

export const about = ({ head }: ReportModel, words: Words): Html => {
  const { info, manifest } = head
  const facts: readonly (readonly [string, string])[] = [
    [words.t('cluster'), manifest.name],
    [words.t('clusterId'), manifest.clusterId],
    [words.t('runId'), info.id],
    [words.t('madeBy'), info.version],
    [words.t('durability'), manifest.durability],
    [words.t('authentication'), manifest.authentication],
    [
      words.t('parameters'),
      Object.entries(manifest.parameters)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
  ]
  const members = manifest.replicas.map(
    ({ id, host, port, publicKey }) =>
      html`<tr>
        <td>r${id}</td>
        <td>${host}:${port}</td>
        <td class="text"><code>${publicKey}</code></td>
      </tr>`,
  )
  return html`<section>
    <h2>${words.t('about')}</h2>
    <div class="card">
      <dl class="facts">
        ${facts.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl>
    </div>
    <div class="card">${table([words.t('replica'), words.t('address'), words.t('publicKey')], members, words)}</div>
  </section>`
}
