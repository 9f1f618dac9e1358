/** Which requests are not proven to this replica by their MACs. What is signed was checked before. */
import type { KeyObject } from 'node:crypto'
import { holdsRequestMac } from '../link/index.ts'
import type { Message, Request } from '../pbft/protocol/messages.ts'
import { requestSignedBytes } from '../pbft/wire/index.ts'

export interface RequestMacs {
  /** By index: of the batch of a pre-prepare, 0 of a request; nothing else carries requests that need it. */
  unverified(message: Message): readonly number[]
}

export interface RequestMacsOptions {
  readonly id: number
  readonly clusterId: string
  /** Keys that the client's MAC for this replica may be made with, the likeliest first. */
  keysOf(client: string): Iterable<KeyObject>
}

const none: readonly number[] = []

export const createRequestMacs = ({ id, clusterId, keysOf }: RequestMacsOptions): RequestMacs => {
  const isProven = (request: Request): boolean =>
    request.authentication.kind === 'signature' ||
    holdsRequestMac(keysOf(request.client), requestSignedBytes(request, clusterId), request.authentication.macs, id)

  return {
    unverified(message) {
      if (message.type === 'request') return isProven(message) ? none : [0]
      if (message.type !== 'pre-prepare') return none
      const unverified: number[] = []
      for (const [index, request] of message.batch.requests.entries()) if (!isProven(request)) unverified.push(index)
      return unverified
    },
  }
}
