/**
 * Runs the core: inputs of one turn of the event loop are stepped together, then what they made is written in one transaction,
 * and only then leaves what had to wait for it (pbft/protocol/steps.ts: the order of effects is law). Records for which nothing
 * waits, that a batch was executed for one, go with the next ones for which something does, or a moment later.
 */
import type { ReplicaId } from '../pbft/protocol/ids.ts'
import type { AuthenticationWanted, PrePrepare, ReplicaMessage, Reply } from '../pbft/protocol/messages.ts'
import type { LogRecord } from '../pbft/protocol/records.ts'
import type { Effect, Input, ProtocolEvent, ReplicaCore, TimerName } from '../pbft/protocol/steps.ts'
import type { Recording } from './recording.ts'
import { forgetRequests } from '../pbft/wire/index.ts'
import type { Storage } from './storage.ts'
import { createTimers } from './timers.ts'

/** Longest time that a record stays unwritten when nothing waits for it, ms. */
const idleCommitMs = 50
/** From this many on they are written at once: one transaction must not get long. */
const idleRecordsMax = 64

export interface DriverOptions {
  readonly core: ReplicaCore
  readonly storage: Storage
  readonly recording: Recording
  send(to: readonly ReplicaId[], message: ReplicaMessage): void
  reply(reply: Reply): void
  wantSignature(message: AuthenticationWanted): void
  /** These records are durable; nothing that waited for them has left yet. */
  onDurable(records: readonly LogRecord[]): void
  /** Checks the signatures of the clients in it; `signatures-checked` is posted with the answer. */
  checkSignatures(message: PrePrepare): void
  /** Everything sent so far leaves now. */
  flush(): void
  onEvent(event: ProtocolEvent, atMs: number): void
  /** The disk failed or an invariant broke: nothing more is stepped or sent. */
  onFatal(error: unknown): void
}

export interface Driver {
  /** Hands in an input; it is stepped soon, in order. `wire`: the bytes in which its message came. */
  post(input: Input, wire?: Uint8Array): void
  /** An orderly end: steps what has come, makes it durable with the mark that nothing follows, lets it leave, and stops. */
  finish(): void
  /** Stops timers and steps nothing any more; what was stepped is written before. */
  stop(): void
}

type Gated = Extract<Effect, { type: 'send' | 'reply' }>

export const createDriver = (options: DriverOptions): Driver => {
  const { core, storage, recording } = options
  let inputs: { readonly input: Input; readonly wire: Uint8Array | null }[] = []
  let scheduled = false
  let stopped = false
  let records: LogRecord[] = []
  let gated: Gated[] = []
  let idleCommit: NodeJS.Timeout | null = null
  /** Fired, and not set or cancelled since. */
  const due = new Set<TimerName>()

  const timers = createTimers((timer) => {
    due.add(timer)
    schedule()
  })

  const write = (written: readonly LogRecord[]): void => {
    storage.commit(written)
    options.onDurable(written)
  }

  const emit = (effect: Gated): void => {
    if (effect.type === 'reply') options.reply(effect.reply)
    else options.send(effect.to, effect.message)
  }

  const run = (effect: Effect, nowMs: number): void => {
    switch (effect.type) {
      case 'persist':
        // At once durable, so that nothing has to wait and all of a turn leaves together.
        if (storage.instant) write([effect.record])
        else records.push(effect.record)
        // Replies were emitted before it; what is left to do with the batch is done with its bytes.
        if (effect.record.kind === 'executed') forgetRequests(effect.record.batch)
        break
      case 'send':
        if (effect.gated && records.length > 0) gated.push(effect)
        else emit(effect)
        break
      case 'reply':
        if (records.length > 0) gated.push(effect)
        else emit(effect)
        break
      case 'want-signature':
        options.wantSignature(effect.message)
        break
      case 'check-signatures':
        options.checkSignatures(effect.message)
        break
      case 'set-timer':
        due.delete(effect.timer)
        timers.set(effect.timer, effect.delayMs)
        break
      case 'cancel-timer':
        due.delete(effect.timer)
        timers.cancel(effect.timer)
        break
      case 'event':
        options.onEvent(effect.event, nowMs)
        break
    }
  }

  const step = (input: Input, wire: Uint8Array | null = null): void => {
    const nowMs = Date.now()
    recording.input(input, nowMs, wire)
    for (const effect of core.step(input, nowMs)) run(effect, nowMs)
  }

  const commit = (): void => {
    if (idleCommit !== null) clearTimeout(idleCommit)
    idleCommit = null
    if (records.length === 0) return
    const written = records
    records = []
    write(written)
    const waited = gated
    gated = []
    for (const effect of waited) emit(effect)
  }

  /** Ends this driver when `work` throws: the disk failed, or an invariant broke. */
  const guarded = (work: () => void): void => {
    if (stopped) return
    try {
      work()
    } catch (error) {
      end()
      options.onFatal(error)
    }
  }

  const settle = (): void => {
    if (gated.length > 0 || records.length >= idleRecordsMax) {
      // What need not wait is on its way while the disk works.
      options.flush()
      commit()
    } else if (records.length > 0) idleCommit ??= setTimeout(() => guarded(commit), idleCommitMs)
    options.flush()
  }

  const turn = (isLast = false): void => {
    scheduled = false
    guarded(() => {
      const burst = inputs
      inputs = []
      for (const { input, wire } of burst) step(input, wire)
      // Timers come last: after a pause of this process, what came in the meantime may have made them void.
      for (const timer of due) {
        due.delete(timer)
        step({ type: 'timer', timer })
      }
      step({ type: isLast ? 'stop' : 'drained' })
      if (isLast) commit()
      settle()
    })
  }

  const schedule = (): void => {
    if (scheduled || stopped) return
    scheduled = true
    // After the poll phase: all frames that have come by then make one burst.
    setImmediate(() => turn())
  }

  const post = (input: Input, wire?: Uint8Array): void => {
    inputs.push({ input, wire: wire ?? null })
    schedule()
  }

  const end = (): void => {
    stopped = true
    inputs = []
    due.clear()
    timers.cancelAll()
    if (idleCommit !== null) clearTimeout(idleCommit)
  }

  const stop = (): void => {
    guarded(() => {
      commit()
      options.flush()
    })
    end()
  }

  const finish = (): void => {
    turn(true)
    stop()
  }

  return { post, finish, stop }
}
