/** The copy of a recording of another machine: it takes what goes on where it ends, stays within its bound, and marks what is missing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FetchedRecording, FetchedRecordings } from '../../src/cluster/recorder/fetched.ts'
import { RunMessages } from '../../src/cluster/recorder/run-messages.ts'
import { Segments } from '../../src/cluster/recorder/segments.ts'
import { BlockWriter, segmentName } from '../../src/pbft/wire/index.ts'

const bytesMax = 100_000
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-fetched-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const piece = (length: number): Uint8Array => new Uint8Array(length).fill(7)

/** A segment's file with one entry, at `at` ms. */
const segmentAt = (at: number): Uint8Array => {
  const block = new BlockWriter(new Uint8Array(1_024))
  block.entry({ kind: 'rejected', reason: 'late' }, at)
  return block.seal({ firstIndex: 0, lost: 0 }, (bytes) => crc32(bytes)).slice()
}

describe('a fetched recording', () => {
  it('goes on where it ended, also after a restart', () => {
    const copy = new FetchedRecording(folder)
    expect(copy.place).toEqual({ segment: 0, offset: 0 })
    copy.add({ segment: 3, offset: 0 }, piece(10), bytesMax)
    copy.add({ segment: 3, offset: 10 }, piece(5), bytesMax)
    const again = new FetchedRecording(folder)
    expect(again.place).toEqual({ segment: 3, offset: 15 })
    again.add({ segment: 5, offset: 0 }, piece(1), bytesMax)
    expect(new FetchedRecording(folder).place).toEqual({ segment: 5, offset: 1 })
  })

  it('refuses what belongs elsewhere and stays as it is', () => {
    const copy = new FetchedRecording(folder)
    copy.add({ segment: 3, offset: 0 }, piece(10), bytesMax)
    for (const at of [
      { segment: 3, offset: 9 },
      { segment: 3, offset: 0 },
      { segment: 2, offset: 0 },
      { segment: 4, offset: 1 },
    ])
      expect(() => copy.add(at, piece(1), bytesMax)).toThrow('do not follow')
    expect(() => copy.add({ segment: 4, offset: 0 }, piece(bytesMax + 1), bytesMax)).toThrow('alone has more than')
    expect(copy.place).toEqual({ segment: 3, offset: 10 })
    expect(readdirSync(folder)).toEqual([segmentName(3)])
  })

  it('drops its oldest segments beyond the bound', () => {
    const copy = new FetchedRecording(folder)
    for (let segment = 1; segment <= 9; segment++) copy.add({ segment, offset: 0 }, piece(30_000), bytesMax)
    expect(readdirSync(folder).sort()).toEqual([7, 8, 9].map(segmentName))
  })

  it('says where a segment was dropped before it could be fetched', async () => {
    const copy = new FetchedRecording(folder)
    copy.add({ segment: 1, offset: 0 }, segmentAt(1_000), bytesMax)
    copy.add({ segment: 2, offset: 0 }, segmentAt(2_000), bytesMax)
    copy.add({ segment: 4, offset: 0 }, segmentAt(4_000), bytesMax)
    const messages = new RunMessages()
    messages.refresh([{ folder, offsetMs: 0 }])
    expect((await messages.page(0, 10_000, 10, {})).gaps).toEqual([{ replica: 0, from: 2_000, to: 4_000, count: 0 }])
  })

  it('begins anew with the recording that it copies', () => {
    const copies = new FetchedRecordings()
    const take = (at: number, segment: number, anew: boolean): void => {
      const bytes = Buffer.from(segmentAt(at)).toString('base64')
      copies.take({ folder, bytesMax, piece: null, anew })
      copies.take({ folder, bytesMax, piece: { segment, offset: 0, bytes }, anew: false })
    }
    take(1_000, 1, false)
    take(2_000, 2, false)
    take(3_000, 1, true)
    const segments = new Segments(folder)
    segments.refresh()
    expect(segments.blocks.map(({ firstAt }) => firstAt)).toEqual([3_000])
  })
})
