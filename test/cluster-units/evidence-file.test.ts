/** A file of evidence and its judge: nothing but the file and a manifest decides, and one changed byte anywhere is enough to be refused. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { evidenceExport, verifyEvidence } from '../../src/cluster/evidence/file.ts'
import { evidenceFileBytesMax, evidenceText, type EvidenceFile } from '../../src/contract/evidence.ts'
import type { Evidence } from '../../src/contract/model.ts'
import { directoryOf, sign, type Directory, type PrivateKey } from '../../src/link/index.ts'
import { asDigest } from '../../src/pbft/protocol/ids.ts'
import { signedBytes, type SignableMessage } from '../../src/pbft/wire/index.ts'
import { makeCluster } from '../support/manifests.ts'
import { examples } from '../support/wire-examples.ts'

const { manifest, replicaKeys } = makeCluster([1, 2, 3, 4])
const directory = directoryOf(manifest)
const other = asDigest('0e'.repeat(32))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const keyOf = (id: number): PrivateKey => {
  const key = replicaKeys[id]
  if (key === undefined) throw new Error(`there is no replica ${id}`)
  return key
}

const statement = (message: SignableMessage, by: number, cluster = manifest.clusterId) => {
  const bytes = signedBytes(message, cluster)
  return { bytes: hex(bytes), signature: hex(sign(keyOf(by), bytes)) }
}
type Place = Pick<Evidence, 'id' | 'kind' | 'signer' | 'view' | 'seq'>
const exported = (place: Place, first: SignableMessage, second: SignableMessage, by = place.signer): EvidenceFile =>
  evidenceExport({ ...place, first: statement(first, by), second: statement(second, by), at: 1_700_000_000_000, seenBy: [0, 3] }, manifest)
    .file

const { proposal, checkpoint, 'view-change': viewChange } = examples
const proposals: Place = { id: 'pre-prepare-r1-5-129', kind: 'pre-prepare', signer: 1, view: 5, seq: 129 }
const checkpoints: Place = { id: 'checkpoint-r2--128', kind: 'checkpoint', signer: 2, view: null, seq: 128 }
const viewChanges: Place = { id: 'view-change-r2-5-', kind: 'view-change', signer: 2, view: 5, seq: null }
const good = {
  'pre-prepare': exported(proposals, proposal, { ...proposal, digest: other }),
  checkpoint: exported(checkpoints, checkpoint, { ...checkpoint, digest: other }),
  'view-change': exported(viewChanges, viewChange, { ...viewChange, prepared: [] }),
}
const kinds = ['pre-prepare', 'checkpoint', 'view-change'] as const

/** As its author would have made it: the checksum holds nothing back, so that the other checks have to. */
const sealed = (file: EvidenceFile): string => {
  const { checksum: _, ...rest } = file
  return evidenceText({ ...rest, checksum: createHash('sha256').update(JSON.stringify(rest)).digest('hex') })
}
const convicts = (text: string, by: Directory = directory): boolean => {
  const verdict = verifyEvidence(text, by)
  return verdict.ok && verdict.value.convicted
}
const judged = (file: EvidenceFile, by: Directory = directory) => {
  const verdict = verifyEvidence(sealed(file), by)
  if (!verdict.ok) throw new Error(verdict.error.message)
  return verdict.value
}

describe('convicts', () => {
  it.each(kinds)('a replica of two %s statements, in either order, with and without the last line break', (kind) => {
    const file = good[kind]
    const { signer, view, seq } = file
    const text = evidenceText(file)
    expect(verifyEvidence(text, directory)).toMatchObject({ ok: true, value: { convicted: true, signer, kind, view, seq } })
    expect(convicts(text.trimEnd())).toBe(true)
    expect(convicts(sealed({ ...file, first: file.second, second: file.first }))).toBe(true)
  })

  it('whatever time the replicas claim', () => {
    for (const at of [-5, 0.5, 1e300]) {
      const { file } = evidenceExport(
        { ...proposals, first: good['pre-prepare'].first, second: good['pre-prepare'].second, at, seenBy: [] },
        manifest,
      )
      expect(convicts(evidenceText(file))).toBe(true)
    }
  })
})

describe('one changed byte', () => {
  it.each(kinds)('of the file of two %s statements, wherever it is', (kind) => {
    const bytes = Buffer.from(evidenceText(good[kind]))
    for (let at = 0; at < bytes.length; at++) {
      const before = bytes[at] ?? 0
      for (const after of [before ^ 1, before ^ 0x20, before ^ 0x80, 0x20, 0x30, 0x61]) {
        if (after === before) continue
        bytes[at] = after
        expect(convicts(bytes.toString('utf8')), `byte ${at}: ${before} to ${after}`).toBe(false)
      }
      bytes[at] = before
    }
    expect(convicts(bytes.toString('utf8'))).toBe(true)
  })

  it('left out, or put in between', () => {
    const text = evidenceText(good.checkpoint)
    for (let at = 0; at < text.length - 1; at++) {
      expect(convicts(text.slice(0, at) + text.slice(at + 1)), `without byte ${at}`).toBe(false)
      expect(convicts(`${text.slice(0, at)} ${text.slice(at)}`), `a space at ${at}`).toBe(false)
    }
  })

  it.each(kinds)('of the signed bytes and signatures of two %s statements, by one who makes the checksum anew', (kind) => {
    const file = good[kind]
    for (const which of ['first', 'second'] as const) {
      for (const part of ['bytes', 'signature'] as const) {
        const bytes = Buffer.from(file[which][part], 'hex')
        for (let at = 0; at < bytes.length; at++) {
          const before = bytes[at] ?? 0
          for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
            bytes[at] = before ^ mask
            const text = sealed({ ...file, [which]: { ...file[which], [part]: hex(bytes) } })
            expect(convicts(text), `${which} ${part}, byte ${at} ^ ${mask}`).toBe(false)
          }
          bytes[at] = before
        }
      }
    }
  })

  it.each(kinds)('of what the file of two %s statements claims, by one who makes the checksum anew', (kind) => {
    const file = good[kind]
    expect(convicts(sealed(file))).toBe(true)
    for (const name of ['clusterId', 'publicKey'] as const) {
      for (let at = 0; at < file[name].length; at++) {
        const digit = file[name][at] === '0' ? '1' : '0'
        expect(convicts(sealed({ ...file, [name]: file[name].slice(0, at) + digit + file[name].slice(at + 1) })), `${name} ${at}`).toBe(
          false,
        )
      }
    }
    for (const name of ['n', 'signer', 'view', 'seq'] as const) {
      for (const value of [0, 1, 2, 3, 4, 5, 6, 127, 128, 129, 130, null]) {
        if (value !== file[name]) expect(convicts(sealed({ ...file, [name]: value } as EvidenceFile)), `${name} ${value}`).toBe(false)
      }
    }
    for (const another of kinds) if (another !== kind) expect(convicts(sealed({ ...file, kind: another }))).toBe(false)
  })
})

describe('proves nothing, and says why', () => {
  const base = good['pre-prepare']
  const [first, second] = [statement(proposal, 1), statement({ ...proposal, digest: other }, 1)]
  const elsewhere = 'cd'.repeat(16)
  it.each<[string, string, EvidenceFile]>([
    ['the same twice', 'same', { ...base, second: first }],
    ['another place', 'other-place', { ...base, second: statement(checkpoint, 2) }],
    ['a statement of another cluster', 'other-cluster', { ...base, second: statement({ ...proposal, digest: other }, 1, elsewhere) }],
    ['the name of another cluster', 'other-cluster', { ...base, clusterId: elsewhere }],
    ['signed by another', 'signature', { ...base, second: statement({ ...proposal, digest: other }, 2) }],
    ['signatures changed over', 'signature', { ...base, first: { ...first, signature: second.signature } }],
    ['no signature', 'signature', { ...base, first: { ...first, signature: '' } }],
    ['no bytes', 'unreadable', { ...base, first: { ...first, bytes: '' } }],
    ['bytes after the statement', 'unreadable', { ...base, first: { ...first, bytes: `${first.bytes}00` } }],
    ['another accused', 'claims', { ...base, signer: 2, publicKey: manifest.replicas[2]?.publicKey ?? '' }],
  ])('%s', (_, problem, file) => {
    expect(judged(file)).toMatchObject({ convicted: false, problem })
  })

  it('signed by a key that only the file vouches for', () => {
    const stranger = makeCluster([1, 2, 3, 4])
    // The file is in itself consistent; the manifest knows other keys.
    expect(judged(base, directoryOf(stranger.manifest))).toMatchObject({ convicted: false, problem: 'signature' })
    const own = { ...base, publicKey: stranger.manifest.replicas[1]?.publicKey ?? '' }
    expect(judged(own)).toMatchObject({ convicted: false, problem: 'claims' })
  })

  it('a cluster of another size, where another replica is the primary of that view', () => {
    const five = makeCluster([1, 2, 3, 4, 5])
    const larger = { ...five.manifest, replicas: [...manifest.replicas, ...five.manifest.replicas.slice(4)] }
    expect(judged(base, directoryOf(larger))).toMatchObject({ convicted: false })
  })
})

describe('hostile files are refused with one plain line', () => {
  const base = good.checkpoint
  const refusal = (text: string): string => {
    const verdict = verifyEvidence(text, directory)
    if (verdict.ok) throw new Error(`taken: ${JSON.stringify(verdict.value)}`)
    expect(verdict.error.code).toBe('bad-request')
    expect(verdict.error.message).toMatch(/^[\x20-\x7e]{1,300}$/)
    return verdict.error.message
  }

  it('broken off anywhere', () => {
    const text = evidenceText(base).trimEnd()
    for (let length = 0; length < text.length; length++) refusal(text.slice(0, length))
  })

  it('too large: the file, a statement, a signature', () => {
    expect(refusal(' '.repeat(evidenceFileBytesMax + 1))).toContain('at most')
    refusal(JSON.stringify({ ...base, first: { ...base.first, bytes: 'ab'.repeat(4 * 1_048_576 + 1) } }))
    refusal(JSON.stringify({ ...base, first: { ...base.first, signature: 'ab'.repeat(300) } }))
  })

  it('as large as may be, and nonsense: judged, not thrown at', () => {
    const bytes = 'ab'.repeat(4 * 1_048_576)
    expect(judged({ ...base, first: { ...base.first, bytes } })).toMatchObject({ convicted: false, problem: 'unreadable' })
    refusal(JSON.stringify({ ...base, first: { ...base.first, bytes: `${bytes.slice(0, -1)}z` } }))
  })

  it('nested beyond reason', () => {
    refusal('['.repeat(1_000_000))
    refusal('['.repeat(1_000_000) + ']'.repeat(1_000_000))
    refusal('{"a":'.repeat(100_000))
  })

  it.each<[string, unknown]>([
    ['a list', []],
    ['null', null],
    ['a text', 'pbft-panel evidence'],
    ['another format', { ...base, format: 2 }],
    ['another type', { ...base, type: '<script>alert(1)</script>' }],
    ['numbers as texts', { ...base, signer: '2' }],
    ['fractions', { ...base, seq: 1.5 }],
    ['negative numbers', { ...base, n: -4 }],
    ['numbers beyond what is exact', { ...base, seq: 2 ** 60 }],
    ['upper-case hex', { ...base, clusterId: base.clusterId.toUpperCase() }],
    ['half a byte', { ...base, first: { ...base.first, bytes: `${base.first.bytes}0` } }],
    ['a statement that is a list', { ...base, first: [base.first] }],
    ['HTML for a statement', { ...base, first: { ...base.first, bytes: '<img src=x onerror=alert(1)>' } }],
    ['HTML for a field', { ...base, '<img src=x>': 1 }],
    ['terminal escapes for a field', { ...base, '\u001b[2J\u202e': 1 }],
    ['a path for an id', { ...base, kind: '../../etc/passwd' }],
    ['a time that is a path', { ...base, seenAt: '../../../x' }],
    ['too many witnesses', { ...base, seenBy: Array.from({ length: 101 }, () => 1) }],
    ['a field too few', { ...base, checksum: undefined }],
  ])('%s', (_, value) => {
    const message = refusal(JSON.stringify(value))
    expect(message).not.toMatch(/[<>]|passwd|\.\./)
  })

  it('a prototype, or a field twice', () => {
    refusal(`{"__proto__":{"a":1},${JSON.stringify(base).slice(1)}`)
    expect(convicts(`{"n":4,${JSON.stringify(base).slice(1)}`)).toBe(false)
  })
})

it('a file is named by its cluster and place only', () => {
  const named = { ...manifest, name: '../../etc/<b>' }
  const evidence = { ...checkpoints, first: good.checkpoint.first, second: good.checkpoint.second, at: 1, seenBy: [] }
  expect(evidenceExport(evidence, named).name).toBe('evidence-00112233-checkpoint-r2--128.json')
})
