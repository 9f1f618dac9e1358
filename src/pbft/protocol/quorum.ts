/** Quorum arithmetic for any n, not only 3f+1 (TOCS 2002, section 4.1; protocol.md section 2). */
import { asReplicaId, type ReplicaId, type View } from './ids.ts'

/** f: the most Byzantine replicas that n tolerate. n >= 1. */
export const faultsTolerated = (n: number): number => Math.floor((n - 1) / 3)

/** Size of a quorum: any two share at least f+1 replicas, and n-f replicas can form one. */
export const quorumSize = (n: number): number => Math.ceil((n + faultsTolerated(n) + 1) / 2)

/** Size of a weak certificate: at least one correct replica is in it. */
export const weakSize = (n: number): number => faultsTolerated(n) + 1

export const primaryOf = (view: View, n: number): ReplicaId => asReplicaId(view % n)
