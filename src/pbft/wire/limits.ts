/**
 * Bounds of what is decoded. Each is checked before anything of that size is allocated; what exceeds one is rejected, never
 * truncated. An encoder given more than a bound asserts: correct code never builds such a value.
 */

/** A whole message, in bytes. */
export const messageBytesMax = 32 * 1_048_576
/** The largest operation that the contract allows (cas of two values of 2^20 UTF-16 units each, and its key) fits. */
export const operationBytesMax = 4 * 1_048_576 + 65_536
/** Result of one operation, in bytes. */
export const resultBytesMax = 4 * 1_048_576
/** Replicas of a cluster; ids are below it. */
export const replicasMax = 100
/** UTF-16 units of a client id, at least 1. */
export const clientCharsMax = 128
/** Ed25519 makes 64 bytes; the simulator's scheme may make others. */
export const signatureBytesMax = 64
/** Elements of any list: slots, certificate entries, requests of a batch, results. Twice the largest K. */
export const entriesMax = 131_072
/** Children of one node of the partition tree. */
export const childrenMax = 65_536
/** Levels of the partition tree. */
export const levelsMax = 32
/** Bytes of one partition's state as it travels; leaves room for the message around it. */
export const partitionBytesMax = messageBytesMax - 1_024
