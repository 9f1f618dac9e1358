/** The control link to one replica: reconnects by itself, validates what comes, pairs calls with their answers. */
import * as v from 'valibot'
import {
  controlMessageSchema,
  type ControlCall,
  type ControlMessage,
  type EvidencePair,
  type HistoryEntry,
  type RecordedPiece,
} from '../contract/control.ts'
import type { Manifest } from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { dial, type Dialer, type Directory, type Link, type PrivateKey } from '../link/index.ts'

const answerTimeoutMs = 5_000
const pauseMaxMs = 500

type ControlReport = Extract<ControlMessage, { type: 'status' | 'observed' }>
type WithoutId<Call> = Call extends { id: number } ? Omit<Call, 'id'> : never
export type ControlRequest = WithoutId<ControlCall>
/** What an answered call brings: each for the call of its name only. */
export interface ControlAnswer {
  readonly history: readonly HistoryEntry[]
  readonly evidence: readonly EvidencePair[]
  readonly recorded: RecordedPiece | null
}

export interface ControlLinkOptions {
  readonly directory: Directory
  readonly operator: { readonly name: string; readonly key: PrivateKey }
  readonly member: Manifest['replicas'][number]
  onUp(): void
  onDown(detail: string): void
  /** An attempt failed. `refused`: by the rules of the handshake, not for lack of an answer. */
  onFailed(detail: string, refused: boolean): void
  onReport(report: ControlReport): void
  /** A message that is none of the protocol's; the link goes on. */
  onMalformed(detail: string): void
}

export class ControlLink {
  readonly #options: ControlLinkOptions
  readonly #dialer: Dialer
  readonly #waiting = new Map<number, { readonly settle: (result: Result<ControlAnswer>) => void; readonly timer: NodeJS.Timeout }>()
  #link: Link | null = null
  #lastId = 0

  /** Begins to dial at once. */
  constructor(options: ControlLinkOptions) {
    this.#options = options
    const { directory, operator, member } = options
    this.#dialer = dial({
      directory,
      identity: { role: 'control', name: operator.name, key: operator.key },
      to: member,
      pauseMaxMs,
      onLink: (link) => {
        this.#link = link
        // The link is usable in the next turn: whoever hears of it may call at once.
        queueMicrotask(() => {
          if (this.#link === link) options.onUp()
        })
        return {
          onMessages: (messages) => messages.forEach((message) => this.#onMessage(message)),
          onClose: (detail) => this.#onClose(detail),
        }
      },
      onFailed: (reason, detail) => options.onFailed(detail, reason !== null),
    })
  }

  get up(): boolean {
    return this.#link?.open === true
  }

  /** When the replica's last frame came, ms since the epoch; null while the link is down. */
  get heardAt(): number | null {
    return this.#link?.heardAt ?? null
  }

  /** Makes a call. Errors: `replica-unavailable`, `timeout`, or what the replica refused it with. */
  call(request: ControlRequest): Promise<Result<ControlAnswer>> {
    const link = this.#link
    const id = this.#options.member.id
    if (link === null) return Promise.resolve(fail('replica-unavailable', `there is no control link to r${id}`, { replica: id }))
    this.#lastId += 1
    const call: ControlCall = { ...request, id: this.#lastId }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(call.id, fail('timeout', `r${id} did not answer '${call.call}' within ${answerTimeoutMs} ms`, { replica: id }))
      }, answerTimeoutMs)
      this.#waiting.set(call.id, { settle: resolve, timer })
      link.send(Buffer.from(JSON.stringify(call), 'utf8'))
    })
  }

  close(): void {
    this.#dialer.close()
    this.#failAll('the control link was closed')
    this.#link = null
  }

  #settle(id: number, result: Result<ControlAnswer>): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    waiting.settle(result)
  }

  #failAll(message: string): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, fail('replica-unavailable', `r${this.#options.member.id}: ${message}`))
  }

  #onClose(detail: string): void {
    this.#link = null
    this.#failAll(detail)
    this.#options.onDown(detail)
  }

  #onMessage(bytes: Uint8Array): void {
    const message = readControlMessage(bytes)
    if (!message.ok) {
      this.#options.onMalformed(message.error.message)
      return
    }
    switch (message.value.type) {
      case 'answer': {
        const { id, history = [], evidence = [], recorded = null } = message.value
        this.#settle(id, ok({ history, evidence, recorded }))
        break
      }
      case 'refused':
        this.#settle(message.value.id, fail(message.value.code, `r${this.#options.member.id}: ${message.value.message}`))
        break
      default:
        this.#options.onReport(message.value)
    }
  }
}

const readControlMessage = (bytes: Uint8Array): Result<ControlMessage> => {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } catch {
    return fail('bad-request', 'not JSON')
  }
  const parsed = v.safeParse(controlMessageSchema, value)
  if (parsed.success) return ok(parsed.output)
  const [issue] = parsed.issues
  return fail('bad-request', `${v.getDotPath(issue) ?? ''}: ${issue.message}`.slice(0, 400))
}
