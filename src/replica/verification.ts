/**
 * Checks signatures: few at once here, many by Node's thread pool, and none twice. The rule is the link room's (RFC 8032
 * strict). The pool, and not a worker thread: measured, both cost the same time, and the pool needs no memory and no start.
 */
import { verify, verifyInPool, type Directory, type PublicKey } from '../link/index.ts'
import { principalOf } from '../pbft/protocol/ids.ts'
import type { SignedPart, Signer } from '../pbft/wire/index.ts'

/** From this many on they go to the pool, so that the protocol goes on meanwhile. */
const pooledFrom = 8
/** Signatures that held are remembered, so that a request seen alone is not checked again in its batch: at least this many, at most twice. */
const rememberedMax = 8_192
const rememberedBytesMax = 2_048

export interface Verifier {
  /** Whether each part holds; `done` is called now, or later when the pool does it. */
  check(parts: readonly SignedPart[], done: (holds: readonly boolean[]) => void): void
  /** Whether one part holds, now. */
  holds(part: SignedPart): boolean
}

const keyOf = (directory: Directory, signer: Signer): PublicKey | undefined =>
  signer.kind === 'replica' ? directory.replicas[signer.id] : directory.principals.get(principalOf(signer.client))?.publicKey

interface Remembered {
  readonly key: PublicKey
  readonly bytes: Uint8Array
}

/**
 * A bounded set of signatures that held, in two generations: the older one is forgotten as a whole. To take the oldest entry out of a
 * Map each time costs a walk over all the places of those taken out before.
 */
const createMemory = () => {
  let young = new Map<string, Remembered>()
  let old = new Map<string, Remembered>()
  const nameOf = ({ signature }: SignedPart): string =>
    Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
  return {
    has(key: PublicKey, part: SignedPart): boolean {
      const name = nameOf(part)
      const found = young.get(name) ?? old.get(name)
      return found !== undefined && found.key === key && Buffer.compare(found.bytes, part.bytes) === 0
    },
    add(key: PublicKey, part: SignedPart): void {
      if (part.bytes.length > rememberedBytesMax) return
      young.set(nameOf(part), { key, bytes: part.bytes })
      if (young.size < rememberedMax) return
      old = young
      young = new Map()
    },
  }
}

interface Unknown {
  readonly key: PublicKey
  readonly part: SignedPart
  /** In the caller's list. */
  readonly place: number
}

export const createVerifier = (directory: Directory): Verifier => {
  const memory = createMemory()

  const checkHere = (key: PublicKey, part: SignedPart): boolean => {
    const held = verify(key, part.bytes, part.signature)
    if (held) memory.add(key, part)
    return held
  }

  const checkInPool = (unknown: readonly Unknown[], holds: boolean[], done: (holds: readonly boolean[]) => void): void => {
    let left = unknown.length
    for (const { key, part, place } of unknown) {
      verifyInPool(key, part.bytes, part.signature, (held) => {
        holds[place] = held
        if (held) memory.add(key, part)
        left -= 1
        if (left === 0) done(holds)
      })
    }
  }

  return {
    check(parts, done) {
      const holds = parts.map(() => false)
      const unknown: Unknown[] = []
      for (const [place, part] of parts.entries()) {
        const key = keyOf(directory, part.signer)
        if (key === undefined) continue
        if (memory.has(key, part)) holds[place] = true
        else unknown.push({ key, part, place })
      }
      if (unknown.length >= pooledFrom) {
        checkInPool(unknown, holds, done)
        return
      }
      for (const { key, part, place } of unknown) holds[place] = checkHere(key, part)
      done(holds)
    },
    holds(part) {
      const key = keyOf(directory, part.signer)
      return key !== undefined && (memory.has(key, part) || checkHere(key, part))
    },
  }
}
