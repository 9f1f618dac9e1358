/** Which requests are not proven to this replica by their MACs. What is signed was checked before. */
import type { KeyObject } from 'node:crypto'
import { holdsRequestMac } from '../link/index.ts'
import type { Message, Request } from '../pbft/protocol/messages.ts'
import { requestBody, requestContext } from '../pbft/wire/index.ts'

export interface RequestMacs {
  /** By index: of the batch of a pre-prepare, 0 of a request; nothing else carries requests that need it. */
  unverified(message: Message): readonly number[]
}

export interface RequestMacsOptions {
  readonly id: number
  readonly clusterId: string
  /** The key that the client's MAC for this replica is most likely made with; null: none is known. */
  keyOf(client: string): KeyObject | null
  /** Others that it may be made with. */
  otherKeysOf(client: string): Iterable<KeyObject>
}

/** What came over the client's own link is proven by the MAC of the link's frame, whatever its own ones are worth. */
export const provenByLink: RequestMacs = { unverified: () => [] }

const none: readonly number[] = []

export const createRequestMacs = ({ id, clusterId, keyOf, otherKeysOf }: RequestMacsOptions): RequestMacs => {
  const context = requestContext(clusterId)

  const isProven = (request: Request): boolean => {
    const { authentication, client } = request
    if (authentication.kind === 'signature') return true
    const body = requestBody(request)
    const likely = keyOf(client)
    if (likely !== null && holdsRequestMac(likely, context, body, authentication.macs, id)) return true
    for (const key of otherKeysOf(client)) if (holdsRequestMac(key, context, body, authentication.macs, id)) return true
    return false
  }

  return {
    unverified(message) {
      if (message.type === 'request') return isProven(message) ? none : [0]
      if (message.type !== 'pre-prepare') return none
      let unverified: number[] | null = null
      const { requests } = message.batch
      for (let index = 0; index < requests.length; index++) {
        if (!isProven(requests[index] as Request)) (unverified ??= []).push(index)
      }
      return unverified ?? none
    },
  }
}
