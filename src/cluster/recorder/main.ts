/** The recorder process: the only one that touches the journal. Ends itself when its channel to the host closes. */
import type { ErrorCode } from '../../contract/result.ts'
import { openParentChannel, type ParentChannel } from './channel.ts'
import { FetchedRecordings } from './fetched.ts'
import { openJournal, TooSlow, type Journal } from './journal.ts'
import { messageDetail } from './message-detail.ts'
import { runWork } from './run-desk.ts'
import { RunFileError } from '../run-file/format.ts'
import { withRunSource, type RunSource } from './run-source.ts'
import { QueryError, recordedProcesses, Replays } from './replays.ts'
import { RunMessages, TooManyMessages } from './run-messages.ts'
import type { FromRecorder, RecorderQueries, RunPlace, ToRecorder } from './protocol.ts'
import { storageError } from '../storage-error.ts'

const flushMs = 100
const checkMs = 1_000
/** The recorder of a host that was killed needs a moment to go. */
const lockWaitMs = 4_000
const lockPollMs = 50

const isBusy = (error: unknown): boolean => String((error as { readonly code?: unknown }).code).startsWith('SQLITE_BUSY')
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

class Recorder {
  readonly #channel: ParentChannel
  #journal: Journal | null = null
  #messages = new RunMessages()
  readonly #replays = new Replays()
  readonly #fetched = new FetchedRecordings()
  #guarded: readonly number[] = []
  #timers: NodeJS.Timeout[] = []

  constructor(channel: ParentChannel) {
    this.#channel = channel
    channel.onMessage((message) => void this.#onMessage(message as ToRecorder))
    channel.onClosed(() => this.#end(true))
  }

  async #onMessage(message: ToRecorder): Promise<void> {
    switch (message.type) {
      case 'write':
        this.#journal?.write(message.records)
        break
      case 'guard':
        this.#guarded = message.pids
        break
      case 'query': {
        const answer = await this.#answer(message)
        this.#channel.post(answer)
        if (message.query === 'close') setImmediate(() => this.#end(false))
        break
      }
    }
  }

  async #answer(message: Extract<ToRecorder, { type: 'query' }>): Promise<FromRecorder> {
    const { id } = message
    const refuse = (code: ErrorCode, text: string, details?: unknown): FromRecorder => ({
      ...{ type: 'answer', id, ok: false, code, message: text },
      ...(details === undefined ? {} : { details }),
    })
    try {
      return { type: 'answer', id, ok: true, value: await this.#run(message) }
    } catch (error) {
      if (error instanceof QueryError) return refuse(error.code, error.message)
      if (error instanceof TooManyMessages) return refuse('too-large', error.message)
      if (error instanceof TooSlow) return refuse('bad-request', error.message)
      if (error instanceof RunFileError) return refuse('bad-run', error.message, { problem: error.problem, at: error.at })
      const storage = storageError(error)
      if (storage?.ok === false) return refuse(storage.error.code, storage.error.message)
      return isBusy(error) ? refuse('cluster-in-use', 'another panel has this cluster open') : refuse('internal', messageOf(error))
    }
  }

  async #run(message: Extract<ToRecorder, { type: 'query' }>): Promise<RecorderQueries[typeof message.query]['result']> {
    if (message.query === 'open') {
      const { journal, damaged } = await openWhenFree(message.params.file, message.params.bytesMax)
      this.#journal = journal
      this.#timers = [setInterval(() => journal.flush(), flushMs), setInterval(() => endWhenGone(journal, message.params.file), checkMs)]
      return { ...journal.restore(message.params.whole), damaged }
    }
    switch (message.query) {
      case 'runFigures':
        return this.#withRun(message.params.place, (source) => source.figures())
      case 'exportRun':
        return this.#withRun(message.params.place, (source) => runWork.exportRun(message.params, source))
      case 'reportRun':
        return this.#withRun(message.params.place, (source) => runWork.reportRun(message.params, source))
      case 'compareRuns': {
        const { first, second } = message.params
        return this.#withRun(first, (one) => this.#withRun(second, (other) => runWork.compareRuns(one, other)))
      }
      case 'importRun':
        return runWork.importRun(message.params)
    }
    const journal = this.#journal
    if (journal === null) throw new Error('no journal is open')
    switch (message.query) {
      case 'messages': {
        const { replicas, from, to, limit, filter } = message.params
        this.#messages.refresh(replicas)
        return this.#messages.page(from, to, limit, filter)
      }
      case 'messagesOverview': {
        const { replicas, from, to, bins, filter } = message.params
        this.#messages.refresh(replicas)
        return this.#messages.overview(from, to, bins, filter)
      }
      case 'recordedProcesses':
        return recordedProcesses(message.params)
      case 'fetched':
        // What is known of the files that go must not be taken for what is in those that come.
        if (message.params.anew) this.#messages = new RunMessages()
        return this.#fetched.take(message.params)
      case 'openReplay':
        return this.#replays.open(message.params, message.params)
      case 'replay':
        return this.#replays.to(message.params)
      case 'closeReplay':
        return this.#replays.close(message.params.session)
      case 'message': {
        const { replicas, id, n, clusterId } = message.params
        this.#messages.refresh(replicas)
        return messageDetail(this.#messages, id, { n, clusterId })
      }
      case 'log':
        return journal.log(message.params.after, message.params.limit, message.params.filter, message.params.upTo)
      case 'timeline':
        return journal.timeline(message.params)
      case 'moment':
        return journal.moment(message.params.at)
      case 'entry':
        return journal.entry(message.params.seq)
      case 'close':
        for (const timer of this.#timers) clearInterval(timer)
        journal.close()
        this.#journal = null
        return null
    }
  }

  /** A run of the journal that is open here, or of another one. */
  #withRun<T>(place: RunPlace, use: (source: RunSource) => Promise<T> | T): Promise<T> {
    const journal = this.#journal
    if (journal?.file === place.journal) return Promise.resolve(use(journal.run(place.record)))
    return withRunSource(place, use)
  }

  #end(abandoned: boolean): void {
    for (const timer of this.#timers) clearInterval(timer)
    if (abandoned) this.#guarded.forEach(killQuietly)
    this.#journal?.close()
    process.exit(0)
  }
}

/** The host starts another recorder, which begins a new journal with what the host has in memory. */
const endWhenGone = (journal: Journal, file: string): void => {
  if (journal.there) return
  process.stderr.write(`${file}: it was deleted or replaced while it was being written\n`)
  process.exit(3)
}

const openWhenFree = async (file: string, bytesMax: number): Promise<ReturnType<typeof openJournal>> => {
  const deadline = Date.now() + lockWaitMs
  for (;;) {
    try {
      return openJournal(file, bytesMax)
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, lockPollMs))
    }
  }
}

const killQuietly = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already, which is what was wanted.
  }
}

const channel = openParentChannel()
if (channel === null) {
  process.stderr.write('The recorder is started by the panel, not by hand.\n')
  process.exitCode = 2
} else {
  process.on('SIGINT', () => undefined)
  new Recorder(channel)
}
