/** The recorded messages of the open cluster, and its replays: asked of the recorder process, which reads what the replicas wrote. */
import type { ValidParams } from '../contract/api.ts'
import type { MessageDetail, MessagesOverview, MessagesPage } from '../contract/messages.ts'
import type { RecordedProcessInfo, ReplayMoment, ReplaySessionInfo } from '../contract/replay.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import type { RecordedRun } from './recorder/protocol.ts'
import type { Recording } from './recording.ts'

export interface MessagesOptions {
  readonly recording: Recording
  readonly clusterId: string
  readonly n: number
  /** Where the recordings are now, and the replicas' clocks. */
  run(): RecordedRun
  /** More was recorded, up to this time by the host's clock, ms. */
  onMore(last: number): void
}

const noRecorder = fail('busy', 'the recorder is being started again: try again in a moment')

export class Messages {
  readonly #options: MessagesOptions
  #last = 0
  #told = 0

  constructor(options: MessagesOptions) {
    this.#options = options
  }

  /** Errors: `bad-request` (an empty window), `too-large` (more than can be looked at at once: ask for an overview), `busy`. */
  async page(params: ValidParams<'messages'>): Promise<Result<MessagesPage>> {
    if (params.to <= params.from) return fail('bad-request', 'messages: `to` has to be after `from`')
    return (await this.#options.recording.query('messages', { ...this.#options.run(), ...params })) ?? noRecorder
  }

  /** Errors: those of `page`. */
  async overview(params: ValidParams<'messagesOverview'>): Promise<Result<MessagesOverview>> {
    if (params.to <= params.from) return fail('bad-request', 'messagesOverview: `to` has to be after `from`')
    return (await this.#options.recording.query('messagesOverview', { ...this.#options.run(), ...params })) ?? noRecorder
  }

  /** Errors: `not-found` (never recorded, or dropped since), `busy`. */
  async message(id: number): Promise<Result<MessageDetail>> {
    const { recording, clusterId, n } = this.#options
    const found = await recording.query('message', { ...this.#options.run(), id, clusterId, n })
    if (found === null) return noRecorder
    if (!found.ok) return found
    return found.value === null ? fail('not-found', `message ${id} is not recorded, or no longer`) : ok(found.value)
  }

  async processes(): Promise<Result<readonly RecordedProcessInfo[]>> {
    return (await this.#options.recording.query('recordedProcesses', this.#options.run())) ?? noRecorder
  }

  /** Errors: `not-found` (nothing is recorded of it), `bad-request` (its start is gone), `busy`. */
  async openReplay(params: ValidParams<'openReplay'>): Promise<Result<ReplaySessionInfo>> {
    return (await this.#options.recording.query('openReplay', { ...this.#options.run(), ...params })) ?? noRecorder
  }

  /** Errors: `not-found` (it is closed), `busy`. */
  async replay(params: ValidParams<'replay'>): Promise<Result<ReplayMoment>> {
    return (await this.#options.recording.query('replay', params)) ?? noRecorder
  }

  async closeReplay(params: ValidParams<'closeReplay'>): Promise<Result<null>> {
    return (await this.#options.recording.query('closeReplay', params)) ?? noRecorder
  }

  /** A replica recorded until `at` by the host's clock, ms. */
  recorded(at: number): void {
    this.#last = Math.max(this.#last, at)
  }

  /** Tells of what came since the last time. */
  tick(): void {
    if (this.#last === this.#told) return
    this.#told = this.#last
    this.#options.onMore(this.#last)
  }
}
