/** The report of the sample run: its figures are those of the journal, and text in it stays text. */
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runWork } from '../../src/cluster/recorder/run-desk.ts'
import { withRunSource } from '../../src/cluster/recorder/run-source.ts'
import { reportOf } from '../../src/cluster/report/report.ts'
import { Words } from '../../src/cluster/report/words.ts'
import { partsOf } from '../../src/cluster/runs/names.ts'
import { locales, type Locale } from '../../src/contract/screens.ts'

const sampleRun = resolve(import.meta.dirname, '../../resources/runs/sample.pbftrun')

describe('the report', () => {
  let folder = ''
  const made = new Map<Locale, string>()
  const counted: Record<string, number> = {}

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pbft-panel-report-'))
    const content = join(folder, 'content')
    const head = await runWork.importRun({ file: sampleRun, folder: content, limits: { fileBytesMax: 1e8, contentBytesMax: 1e9 } })
    const place = { record: { format: 1, head, place: null, after: 0, upto: null } as const, ...partsOf(content, head.info.n) }
    for (const locale of locales) {
      made.set(locale, await withRunSource(place, (source) => reportOf({ head, facts: source.facts(), entries: source.entries(), locale })))
    }
    const db = new Database(place.journal, { readonly: true })
    const count = (sql: string): number => (db.prepare(sql).get() as { n: number }).n
    counted['batches'] = count('SELECT COUNT(*) AS n FROM entries')
    counted['requests'] = count('SELECT COUNT(*) AS n FROM entries, json_each(entries.requests)')
    counted['faults'] = count('SELECT COUNT(*) AS n FROM documents WHERE kind = \'fault\' AND body LIKE \'%"what":"injected"%\'')
    counted['viewChanges'] = count("SELECT COUNT(*) AS n FROM documents WHERE kind = 'view' AND CAST(key AS INTEGER) > 0")
    counted['checkpoints'] = count("SELECT COUNT(*) AS n FROM documents WHERE kind = 'checkpoint'")
    counted['evidence'] = count("SELECT COUNT(*) AS n FROM documents WHERE kind = 'evidence'")
    counted['peakPerSecond'] = count("SELECT MAX(body ->> 'requests') AS n FROM documents WHERE kind = 'sample'")
    counted['longestOutageMs'] = count("SELECT MAX(body ->> 'outageMs') AS n FROM documents WHERE kind = 'view'")
    counted['violations'] = count("SELECT COUNT(*) AS n FROM documents WHERE kind = 'alarm' AND body ->> 'key' = 'alarm.monitor.violated'")
    db.close()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(locales)('has the figures of the journal (%s)', (locale) => {
    const shown = Object.fromEntries(
      [...(made.get(locale) ?? '').matchAll(/data-figure="(\w+)">([^<]*)</g)].map(([, name, value]) => [name, value]),
    )
    for (const [name, value] of Object.entries(counted))
      expect([name, shown[name]]).toEqual([
        name,
        name === 'longestOutageMs' ? new Words(locale).span(value) : new Intl.NumberFormat(locale).format(value),
      ])
    expect(counted['requests']).toBeGreaterThan(100)
    expect(counted['evidence']).toBeGreaterThan(0)
  })

  it('says what was done to the replicas in its language, in lists, sentences and alarms', () => {
    const [en, zh] = [made.get('en') ?? '', made.get('zh-CN') ?? '']
    for (const said of ['r0 isolated', 'r3 killed', 'Fault injected: r0 isolated.', 'equivocates']) expect(en).toContain(said)
    for (const said of ['r0 被隔离', 'r3 被终止', '已注入故障：r0 被隔离。', '说法不一']) expect(zh).toContain(said)
    expect(zh).not.toMatch(/isolated|killed|equivocate/)
  })

  it('shows what keys and values hold as text, and names no address', () => {
    for (const text of made.values()) {
      expect(text).toContain('&lt;img src=x onerror=alert(1)&gt;')
      expect(text).not.toMatch(/<img|<script|<link|<iframe|\bsrc="|\bhref=|url\(|@import|https?:/i)
    }
  })

  it('speaks each language, sentences of the host too', () => {
    expect(made.get('en')).toContain('Why nothing was lost')
    expect(made.get('zh-CN')).toContain('为何没有任何丢失')
    expect(made.get('zh-CN')).toContain('日志包含从 1 到')
  })
})
