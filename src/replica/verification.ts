/**
 * Checks signatures: few at once here, many in a worker thread, and none twice. The rule is the link room's (RFC 8032 strict).
 */
import { Worker } from 'node:worker_threads'
import { verify, type Directory, type PublicKey } from '../link/index.ts'
import type { SignedPart, Signer } from '../pbft/wire/index.ts'

/** From this many on, handing them to a worker costs less than checking them here. */
const workerFromCount = 8
/** Signatures that held are remembered, so that a request seen alone is not checked again in its batch. */
const rememberedMax = 16_384
const rememberedBytesMax = 2_048

export interface Verifier {
  /** Whether each part holds; `done` is called now, or later when a worker does it. */
  check(parts: readonly SignedPart[], done: (holds: readonly boolean[]) => void): void
  close(): Promise<void>
}

/** The principal of a client id: what stands before the first slash. */
export const principalOf = (client: string): string => {
  const slash = client.indexOf('/')
  return slash < 0 ? client : client.slice(0, slash)
}

/** All keys of a cluster in one list: replicas by id, then principals in the manifest's order. */
export const keyList = (directory: Directory): PublicKey[] => [
  ...directory.replicas,
  ...Array.from(directory.principals.values(), (principal) => principal.publicKey),
]

/** Finds a signer's place in `keyList`; -1 for strangers. */
export const keyIndexer = (directory: Directory): ((signer: Signer) => number) => {
  const count = directory.replicas.length
  const places = new Map(Array.from(directory.principals.keys(), (name, i) => [name, count + i]))
  return (signer) => {
    if (signer.kind === 'replica') return signer.id < count ? signer.id : -1
    return places.get(principalOf(signer.client)) ?? -1
  }
}

interface Remembered {
  readonly key: number
  readonly bytes: Uint8Array
}

/** A bounded set of signatures that held; the oldest are forgotten. */
const createMemory = () => {
  const held = new Map<string, Remembered>()
  const nameOf = (signature: Uint8Array): string => Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
  return {
    has(key: number, part: SignedPart): boolean {
      const found = held.get(nameOf(part.signature))
      return found !== undefined && found.key === key && Buffer.compare(found.bytes, part.bytes) === 0
    },
    add(key: number, part: SignedPart): void {
      if (part.bytes.length > rememberedBytesMax) return
      held.set(nameOf(part.signature), { key, bytes: part.bytes })
      if (held.size <= rememberedMax) return
      const oldest = held.keys().next().value
      if (oldest !== undefined) held.delete(oldest)
    },
  }
}

export interface VerifyJob {
  readonly id: number
  readonly keys: readonly number[]
  readonly bytes: readonly Uint8Array[]
  readonly signatures: readonly Uint8Array[]
}
export interface VerifyAnswer {
  readonly id: number
  readonly holds: readonly boolean[]
}
export interface VerifierData {
  readonly role: 'verifier'
  readonly publicKeys: readonly string[]
}

interface Open {
  readonly parts: readonly SignedPart[]
  readonly keys: readonly number[]
  /** Places in the caller's list. */
  readonly places: readonly number[]
  readonly holds: boolean[]
  readonly done: (holds: readonly boolean[]) => void
}

/**
 * `entry` is the script that a worker runs (the process's own: it looks at `workerData.role`). A worker that dies is fatal:
 * `onFatal` gets its error.
 */
export const createVerifier = (directory: Directory, entry: string, onFatal: (error: Error) => void): Verifier => {
  const keys = keyList(directory)
  const indexOf = keyIndexer(directory)
  const memory = createMemory()
  const open = new Map<number, Open>()
  let nextId = 1
  let worker: Worker | null = null
  let closed = false

  const settle = (job: Open, results: readonly boolean[]): void => {
    for (const [i, holds] of results.entries()) {
      job.holds[job.places[i] as number] = holds
      if (holds) memory.add(job.keys[i] as number, job.parts[i] as SignedPart)
    }
    job.done(job.holds)
  }

  const startWorker = (): Worker => {
    const workerData: VerifierData = { role: 'verifier', publicKeys: keys.map((key) => key.hex) }
    const started = new Worker(entry, { workerData, argv: [] })
    started.on('message', (answer: VerifyAnswer) => {
      const job = open.get(answer.id)
      open.delete(answer.id)
      if (job !== undefined && !closed) settle(job, answer.holds)
    })
    started.on('error', (error) => {
      if (!closed) onFatal(error instanceof Error ? error : new Error(String(error)))
    })
    return started
  }

  const post = (job: Open): void => {
    worker ??= startWorker()
    const id = nextId
    nextId += 1
    open.set(id, job)
    // Views into a received frame would clone the whole frame, once per view.
    const message: VerifyJob = {
      id,
      keys: job.keys,
      bytes: job.parts.map((part) => part.bytes.slice()),
      signatures: job.parts.map((part) => part.signature.slice()),
    }
    worker.postMessage(message)
  }

  return {
    check(parts, done) {
      const holds = parts.map(() => false)
      const job = { parts: [] as SignedPart[], keys: [] as number[], places: [] as number[], holds, done }
      for (const [place, part] of parts.entries()) {
        const key = indexOf(part.signer)
        if (key < 0) continue
        if (memory.has(key, part)) {
          holds[place] = true
          continue
        }
        job.parts.push(part)
        job.keys.push(key)
        job.places.push(place)
      }
      if (job.parts.length >= workerFromCount) post(job)
      else
        settle(
          job,
          job.parts.map((part, i) => verify(keys[job.keys[i] as number] as PublicKey, part.bytes, part.signature)),
        )
    },
    async close() {
      closed = true
      await worker?.terminate()
    },
  }
}
