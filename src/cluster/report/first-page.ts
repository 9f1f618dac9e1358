/** The first page of a report: what somebody reads who has two minutes. */
import type { ScenarioRun } from '../../contract/scenarios.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import type { ReportModel } from './model.ts'
import type { ReportTexts } from './texts.ts'
import type { Words } from './words.ts'

const faultsNamed = 6

const verdictWords = {
  held: ['verdictHeld', 'sentenceHeld'],
  failed: ['verdictFailed', 'sentenceFailed'],
  violated: ['verdictViolated', 'sentenceViolated'],
  running: ['verdictRunning', 'sentenceRunning'],
  'broken-off': ['verdictBroken', 'sentenceBroken'],
} as const satisfies Record<string, readonly [keyof ReportTexts, keyof ReportTexts]>

const icons = {
  good: html`<circle cx="12" cy="12" r="10" /><path d="M7.5 12.5l3 3 6-7" />`,
  bad: html`<path d="M12 2.5L22.5 21H1.5z" /><path d="M12 9v5.5M12 17.4v.6" />`,
  open: html`<circle cx="12" cy="12" r="10" /><path d="M12 7v6l4 2" />`,
}

export const icon = (look: keyof typeof icons): Html =>
  html`<svg
    class="${look}"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${icons[look]}
  </svg>`

const lookOf = (verdict: keyof typeof verdictWords): keyof typeof icons =>
  verdict === 'held' ? 'good' : verdict === 'failed' || verdict === 'violated' ? 'bad' : 'open'

export const heading = ({ head, span }: ReportModel, words: Words): Html => {
  const { info } = head
  const duration = words.span(span.to - span.from)
  const to = info.ended === null ? words.t('goesOn') : words.moment(info.ended)
  return html`<header>
    <p class="kind">${words.t('title')} · ${words.t(info.kind === 'scenario' ? 'kindScenario' : 'kindCluster')}</p>
    <h1>${titleOf(head, words)}</h1>
    <p class="when">${words.t('recordedOn', { from: words.moment(info.began), to, duration })}</p>
  </header>`
}

/** The scenario's own title in the language, unless somebody named the run. */
export const titleOf = ({ info }: ReportModel['head'], words: Words): string =>
  info.scenario !== null && info.name === info.scenario.title.en ? words.said(info.scenario.title) : info.name

export const verdict = ({ head }: ReportModel, words: Words): Html => {
  const { info } = head
  const [word, sentence] = verdictWords[info.verdict]
  const said = info.verdict === 'held' && info.scenario !== null ? 'sentenceHeldScenario' : sentence
  return html`<div class="verdict ${info.verdict}" data-verdict="${info.verdict}">
    ${icon(lookOf(info.verdict))}
    <div>
      <strong>${words.t(word)}</strong>
      <p>${words.t(said)}</p>
    </div>
  </div>`
}

/** In sentences, from the figures. */
export const happened = (model: ReportModel, words: Words): Html =>
  html`<section class="card prose">
    <h2>${words.t('happened')}</h2>
    <div>
      ${[
        ranSentence(model, words),
        faultSentence(model, words),
        ...viewSentences(model, words),
        ...latencySentence(model, words),
        checkpointSentence(model, words),
        ...evidenceSentence(model, words),
      ].map((sentence) => html`<p>${sentence}</p>`)}
    </div>
  </section>`

const ranSentence = ({ head, figures, span }: ReportModel, words: Words): string =>
  words.t(head.info.n === 1 ? 'ranOne' : 'ran', {
    n: head.info.n,
    f: Math.floor((head.info.n - 1) / 3),
    duration: words.span(span.to - span.from),
    requests: words.count(figures.requests),
    batches: words.count(figures.batches),
  })

const faultSentence = ({ faults }: ReportModel, words: Words): string => {
  if (faults.length === 0) return words.t('noFaults')
  const named = faults.slice(0, faultsNamed).map((fault) => words.sentence(fault, fault.key))
  if (faults.length > faultsNamed) named.push(words.t('andMore', { count: faults.length - faultsNamed }))
  return words.t('faultsWere', { count: faults.length, list: named.join(words.t('listComma')) })
}

const viewSentences = ({ figures }: ReportModel, words: Words): string[] => {
  if (figures.viewChanges === 0) return [words.t('noViewChange')]
  const changes = words.t('viewChanges', { count: figures.viewChanges })
  return figures.longestOutageMs === null
    ? [changes]
    : [`${changes} ${words.t('outage', { duration: words.span(figures.longestOutageMs) })}`]
}

const latencySentence = ({ figures: { p50Ms, p99Ms } }: ReportModel, words: Words): string[] =>
  p50Ms === null || p99Ms === null ? [] : [words.t('latency', { p50: words.span(p50Ms), p99: words.span(p99Ms) })]

const checkpointSentence = ({ facts }: ReportModel, words: Words): string => {
  const { checkpoint } = facts.documents
  if (checkpoint.length === 0) return words.t('noCheckpoint')
  const differing = checkpoint.filter(({ digests }) => new Set(Object.values(digests)).size > 1).length
  if (differing === 0) return words.t('checkpointsEqual', { count: words.count(checkpoint.length) })
  return words.t('checkpointsDiffer', { count: words.count(differing), total: words.count(checkpoint.length) })
}

const evidenceSentence = ({ facts }: ReportModel, words: Words): string[] => {
  const signers = [...new Set(facts.documents.evidence.map(({ signer }) => signer))].sort((a, b) => a - b)
  return signers.length === 0 ? [] : [words.t('evidenceWas', { list: signers.map((id) => `r${id}`).join(', ') })]
}

const looks = { holds: 'good', violated: 'bad', unknown: 'open' } as const

/** The safety monitors at the end, each with what it rests on. */
export const why = ({ head }: ReportModel, words: Words): Html | null => {
  const { monitors } = head.info
  if (monitors.length === 0) return null
  const isViolated = monitors.some(({ name, state }) => name !== 'progress' && state === 'violated')
  const rows = monitors.map(
    (monitor) =>
      html`<li>
        ${icon(looks[monitor.state])}<b
          >${words.t(`monitor.${monitor.name}`)}: <span class="${looks[monitor.state]}">${words.t(monitor.state)}</span></b
        ><span>${words.sentence(monitor, monitor.detail)}</span>
      </li>`,
  )
  return html`<section class="card">
    <h2>${words.t(isViolated ? 'whatWasViolated' : 'whyNothingLost')}</h2>
    <ul class="why">
      ${rows}
    </ul>
  </section>`
}

const phaseWords = { held: ['good', 'stepHeld'], failed: ['bad', 'stepFailed'] } as const

export const steps = (run: ScenarioRun | null, words: Words): Html | null => {
  if (run === null) return null
  const rows = run.steps.map(({ title, say, expect, phase, observations }, i) => {
    const [look, word] = phase === 'held' || phase === 'failed' ? phaseWords[phase] : (['open', 'stepOpen'] as const)
    const seen = observations.map((one) => html`<li class="${one.holds ? '' : 'bad'}">${words.sentence(one, one.sentence)}</li>`)
    return html`<li class="card">
      <header>
        <h3>${i + 1}. ${words.said(title)}</h3>
        <span class="tag ${look}">${icon(look)}${words.t(word)}</span>
      </header>
      ${say === null ? null : html`<p class="say">${words.said(say)}</p>`}
      <dl>
        <dt>${words.t('expected')}</dt>
        <dd>${words.said(expect)}</dd>
        ${
          seen.length === 0
            ? null
            : html`<dt>${words.t('observed')}</dt>
                <dd>
                  <ul>
                    ${seen}
                  </ul>
                </dd>`
        }
      </dl>
    </li>`
  })
  return html`<section>
    <h2>${words.t('steps')}</h2>
    <ol class="steps">
      ${rows}
    </ol>
  </section>`
}
