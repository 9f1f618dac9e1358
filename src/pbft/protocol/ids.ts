/**
 * The identities of the protocol. Branded so that a view is never passed where a sequence number is meant.
 * All numbers are non-negative integers below 2^53.
 */
declare const brand: unique symbol
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

/** 0..n-1. */
export type ReplicaId = Brand<number, 'ReplicaId'>
/** Starts at 0, never decreases at a correct replica. */
export type View = Brand<number, 'View'>
/** 1 is the first batch; 0 is the state before any batch (the genesis checkpoint). */
export type SeqNo = Brand<number, 'SeqNo'>
/**
 * `principal/session`. The principal (before the first slash) names the key in the manifest that authenticates the client;
 * each session has a timestamp sequence and a place in the reply cache of its own. 1..128 characters of UTF-16.
 */
export type ClientId = Brand<string, 'ClientId'>
/** SHA-256 as 64 lower-case hex digits: a string, so that it compares and keys maps by value. */
export type Digest = Brand<string, 'Digest'>
/** Strictly increasing per client session, microseconds since the epoch: comparable among the sessions of a principal. */
export type ClientTimestamp = Brand<number, 'ClientTimestamp'>

export const asReplicaId = (value: number): ReplicaId => value as ReplicaId
export const asView = (value: number): View => value as View
export const asSeqNo = (value: number): SeqNo => value as SeqNo
export const asClientId = (value: string): ClientId => value as ClientId
export const asDigest = (value: string): Digest => value as Digest
export const asClientTimestamp = (value: number): ClientTimestamp => value as ClientTimestamp

/** Clients of which the principal is remembered: finding it out makes a new text, whose hash every map then has to make anew. */
const rememberedMax = 16_384
const principals = new Map<string, string>()

/** The principal of a client id: what stands before the first slash. */
export const principalOf = (client: string): string => {
  const known = principals.get(client)
  if (known !== undefined) return known
  const slash = client.indexOf('/')
  const principal = slash < 0 ? client : client.slice(0, slash)
  if (principals.size >= rememberedMax) principals.clear()
  principals.set(client, principal)
  return principal
}
