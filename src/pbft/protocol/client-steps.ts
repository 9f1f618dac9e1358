/** The shape of the client state machine (TOCS 2002, section 4.2): one outstanding request per client session. */
import type { ClientId, ClientTimestamp, Digest, ReplicaId, SeqNo, View } from './ids.ts'
import type { Reply, Request, RequestAuthentication } from './messages.ts'

export interface ClientConfig {
  readonly n: number
  readonly client: ClientId
  /** First resend to all replicas after this, ms; doubles up to `retryMaxMs`. */
  readonly retryMs: number
  readonly retryMaxMs: number
}

export interface ClientCapabilities {
  digest(bytes: Uint8Array): Digest
  /** By a signature, or, unless `signed` asks for that, as the manifest's authentication setting says. */
  authenticate(request: Omit<Request, 'authentication'>, signed: boolean): RequestAuthentication
}

export type ClientInput =
  | { readonly type: 'submit'; readonly operation: Uint8Array; readonly readOnly: boolean }
  /** `from` is the replica whose link it came over. */
  | { readonly type: 'reply'; readonly from: ReplicaId; readonly reply: Reply }
  /** What several different replicas, ascending, say alike, each over its own link; who `reply` names as its sender does not matter. */
  | { readonly type: 'replies'; readonly from: readonly ReplicaId[]; readonly reply: Reply }
  /** Replica `from` asks for the request of `timestamp` with a signature. */
  | { readonly type: 'authentication-wanted'; readonly from: ReplicaId; readonly timestamp: ClientTimestamp }
  | { readonly type: 'timer' }
  /** Gives up; a late reply is ignored. */
  | { readonly type: 'cancel' }

export type ClientEffect =
  | { readonly type: 'send'; readonly to: readonly ReplicaId[]; readonly request: Request; readonly attempt: number }
  | { readonly type: 'set-timer'; readonly delayMs: number }
  | { readonly type: 'cancel-timer' }
  /** `tentative`: it answers for a batch that it has prepared, and that may not commit. */
  | {
      readonly type: 'reply-counted'
      readonly from: ReplicaId
      readonly matching: number
      readonly needed: number
      readonly tentative: boolean
    }
  | {
      readonly type: 'completed'
      readonly timestamp: ClientTimestamp
      readonly result: Uint8Array
      readonly view: View
      readonly seq: SeqNo
      /** Whose replies matched; ascending. */
      readonly repliers: readonly ReplicaId[]
    }

export interface ClientCore {
  /** Submitting while a request is outstanding is a caller's error and asserts. */
  step(input: ClientInput, nowMs: number): ClientEffect[]
  /** The client's belief, learnt from replies. */
  readonly view: View
  readonly busy: boolean
}
