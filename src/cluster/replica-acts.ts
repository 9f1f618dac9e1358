/** What the operator does to a replica, and its record: it is a fault of the run, until the replica is started again. */
import type { ValidParams } from '../contract/api.ts'
import type { FaultSentence } from '../contract/fault-sentences.ts'
import { ok, type Result } from '../contract/result.ts'
import type { Member } from './member.ts'
import type { Recording } from './recording.ts'

type Action = ValidParams<'controlReplica'>['action']

export class ReplicaActs {
  readonly #recording: Recording
  /** Replicas that were stopped or killed, as faults of the run. */
  readonly #open = new Map<number, FaultSentence & { readonly id: string }>()

  constructor(recording: Recording) {
    this.#recording = recording
  }

  /** Errors: those of the member's own acts, and of its control link. Only what was done is recorded. */
  async perform(member: Member, action: Action): Promise<Result<null>> {
    const done = await this.#act(member, action)
    if (done.ok) this.#record(member.id, action)
    return done
  }

  async #act(member: Member, action: Action): Promise<Result<null>> {
    switch (action) {
      case 'start':
        return member.start()
      case 'stop':
        return member.stop()
      case 'kill':
        return member.kill()
      case 'wipe':
        return member.wipe()
      case 'corrupt': {
        const corrupted = await member.call({ call: 'corrupt' })
        return corrupted.ok ? ok(null) : corrupted
      }
      case 'restart': {
        const stopped = await member.stop()
        return stopped.ok ? member.start() : stopped
      }
    }
  }

  #record(id: number, action: Action): void {
    const at = Date.now()
    const open = this.#open.get(id)
    if (open !== undefined && action !== 'corrupt') {
      this.#recording.write({ kind: 'fault', fault: { ...open, what: 'healed', at } })
      this.#open.delete(id)
    }
    if (action === 'start') return
    const fault = { id: `act-${id}-${at}`, key: `fault.act.${action}`, parameters: { replica: id } } as const
    this.#recording.write({ kind: 'fault', fault: { ...fault, what: 'injected', at } })
    // A wiped one runs again at once, or not until it is started: `start` ends it either way.
    if (action === 'stop' || action === 'kill') this.#open.set(id, fault)
    else this.#recording.write({ kind: 'fault', fault: { ...fault, what: 'healed', at: Date.now() } })
  }
}
