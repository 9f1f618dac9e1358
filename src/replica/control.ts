/** Control links: status and observations out, an operator's calls in. */
import * as v from 'valibot'
import {
  controlCallSchema,
  type ControlCall,
  type ControlMessage,
  type EvidencePair,
  type HistoryEntry,
  type RecordedPiece,
  type ReplicaReport,
} from '../contract/control.ts'
import type { TransportFaults } from '../contract/faults.ts'
import type { Link, LinkHandlers } from '../link/index.ts'
import type { Count } from './counters.ts'
import type { Observation } from './observation.ts'

/** Period of the pushed status, ms. */
const statusMs = 250
/** Most bytes of history in one answer, before base64. */
const historyBytesMax = 3 * 1_048_576
/** An observer that takes nothing must not cost memory: beyond this nothing more is pushed to it. */
const pushBytesMax = 8 * 1_048_576
const linksMax = 64

export interface ControlOptions {
  readonly count: Count
  readonly observation: Observation
  readonly allowsFaults: boolean
  report(): ReplicaReport
  setFaults(faults: TransportFaults): void
  history(after: number, limit: number, bytesMax: number): HistoryEntry[]
  evidence(after: number): EvidencePair[]
  recorded(segment: number, offset: number): RecordedPiece
  changeView(): void
  /** Changes a byte of the state; false when there is none. */
  corruptState(): boolean
  stop(): void
}

export interface Control {
  acceptLink(link: Link): LinkHandlers
  /** Something changed that operators want to see at once. */
  pushStatus(): void
  close(): void
}

type Outcome =
  | { readonly ok: true; readonly history?: HistoryEntry[]; readonly evidence?: EvidencePair[]; readonly recorded?: RecordedPiece }
  | { readonly ok: false; readonly code: 'faults-not-allowed' | 'bad-request'; readonly message: string }

const faultsNotAllowed = {
  ok: false,
  code: 'faults-not-allowed',
  message: 'this replica was started without --allow-faults',
} as const

/** The call, or what is wrong with it; the id is kept when there is one, so that the caller learns which was refused. */
const parse = (bytes: Uint8Array): { readonly call: ControlCall } | { readonly id: number; readonly problem: string } => {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } catch {
    return { id: 0, problem: 'no JSON' }
  }
  const parsed = v.safeParse(controlCallSchema, value)
  if (parsed.success) return { call: parsed.output }
  const id = (value as { id?: unknown } | null)?.id
  const [issue] = parsed.issues
  return {
    id: Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : 0,
    problem: `${v.getDotPath(issue) ?? 'call'}: ${issue.message}`.slice(0, 1_000),
  }
}

const encode = (message: ControlMessage): Uint8Array => Buffer.from(JSON.stringify(message))

export const createControl = (options: ControlOptions): Control => {
  const links = new Set<Link>()
  const observers = new Map<Link, () => void>()

  const push = (link: Link, bytes: Uint8Array): void => {
    if (link.bufferedBytes > pushBytesMax) return
    link.send(bytes)
  }

  const pushStatus = (): void => {
    if (observers.size === 0) return
    const bytes = encode({ type: 'status', report: options.report() })
    for (const link of observers.keys()) push(link, bytes)
  }
  const timer = setInterval(pushStatus, statusMs)

  const observe = (link: Link): void => {
    if (observers.has(link)) return
    observers.set(
      link,
      options.observation.attach((message) => push(link, encode(message))),
    )
    push(link, encode({ type: 'status', report: options.report() }))
  }

  const perform = (link: Link, call: ControlCall): Outcome => {
    switch (call.call) {
      case 'observe':
        observe(link)
        return { ok: true }
      case 'faults':
        if (!options.allowsFaults) return faultsNotAllowed
        options.setFaults(call.faults)
        return { ok: true }
      case 'corrupt':
        if (!options.allowsFaults) return faultsNotAllowed
        return options.corruptState()
          ? { ok: true }
          : { ok: false, code: 'bad-request', message: 'this replica has no state to corrupt yet' }
      case 'history':
        return { ok: true, history: options.history(call.after, call.limit, historyBytesMax) }
      case 'evidence':
        return { ok: true, evidence: options.evidence(call.after) }
      case 'recording':
        return { ok: true, recorded: options.recorded(call.segment, call.offset) }
      case 'change-view':
        options.changeView()
        return { ok: true }
      case 'stop':
        return { ok: true }
    }
  }

  const onCall = (link: Link, bytes: Uint8Array): void => {
    const parsed = parse(bytes)
    if ('problem' in parsed) {
      options.count('bad-control-call', `${link.peer.name}: ${parsed.problem}`)
      link.send(encode({ type: 'refused', id: parsed.id, code: 'bad-request', message: parsed.problem }))
      return
    }
    const { call } = parsed
    const outcome = perform(link, call)
    if (outcome.ok) {
      const { ok: _, ...what } = outcome
      link.send(encode({ type: 'answer', id: call.id, ok: true, ...what }))
    } else {
      options.count(outcome.code, `control link of ${link.peer.name}`)
      link.send(encode({ type: 'refused', id: call.id, code: outcome.code, message: outcome.message }))
    }
    if (call.call === 'stop') {
      link.flush()
      options.stop()
    }
    if (call.call === 'faults') pushStatus()
  }

  return {
    acceptLink(link) {
      if (links.size >= linksMax) {
        options.count('too-many-links', `control ${link.peer.name}`)
        link.close('too many control links')
        return { onMessages: () => undefined, onClose: () => undefined }
      }
      links.add(link)
      return {
        onMessages(messages) {
          for (const message of messages) onCall(link, message)
        },
        onClose() {
          links.delete(link)
          observers.get(link)?.()
          observers.delete(link)
        },
      }
    },
    pushStatus,
    close() {
      clearInterval(timer)
      for (const link of links) link.close('this replica stops')
    },
  }
}
