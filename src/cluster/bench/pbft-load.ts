/** Closed-loop clients of a PBFT cluster: the client state machine of every session, over one link to each replica. */
import { createClient } from '../../pbft/protocol/client.ts'
import type { ClientCore, ClientEffect, ClientInput } from '../../pbft/protocol/client-steps.ts'
import { asClientId } from '../../pbft/protocol/ids.ts'
import { decodeResult, encodeOperation } from '../../pbft/service/index.ts'
import { sha256 } from '../../link/index.ts'
import { ClientLinks } from '../client/links.ts'
import { openFolder } from '../folder.ts'
import type { LoadSettings } from './load-protocol.ts'
import type { MeasuredWindow } from './measured-window.ts'

/** One clock for the timers of all sessions: a timer each would cost more than their requests. */
const tickMs = 10
const linkPollMs = 5

interface Session {
  readonly core: ClientCore
  readonly key: string
  startedAt: number
  /** When its timer is due by the monotonic clock, ms. */
  dueAt: number
  completed: number
}

export interface RunningLoad {
  stop(): void
}

/** Opens the cluster's folder with the operator's key. Throws an Error that says why it cannot. */
const connect = async (manifestFile: string): Promise<{ readonly links: ClientLinks; readonly n: number }> => {
  const opened = openFolder(manifestFile)
  if (!opened.ok) throw new Error(opened.error.message)
  const { directory, manifest, operator } = opened.value
  const links = new ClientLinks({ directory, manifest, principal: operator })
  const n = manifest.replicas.length
  while (links.connected < n) await new Promise((resolve) => setTimeout(resolve, linkPollMs))
  return { links, n }
}

/** Connects to all replicas and begins; every completion goes to `window`. */
export const startPbftLoad = async (settings: LoadSettings, manifestFile: string, window: MeasuredWindow): Promise<RunningLoad> => {
  const { links, n } = await connect(manifestFile)
  const value = 'x'.repeat(settings.valueBytes)
  const puts = Array.from({ length: settings.keys }, (_, k) => encodeOperation({ type: 'put', key: `key-${k}`, value }))
  let running = true
  let nextKey = 0

  const submit = (session: Session): void => {
    session.startedAt = performance.now()
    // A reader first writes what it is going to read.
    const isRead = settings.operation === 'get' && session.completed > 0
    if (isRead) step(session, { type: 'submit', operation: encodeOperation({ type: 'get', key: session.key }), readOnly: true })
    else if (settings.operation === 'get') {
      step(session, { type: 'submit', operation: encodeOperation({ type: 'put', key: session.key, value }), readOnly: false })
    } else {
      const operation = puts[nextKey % puts.length] as Uint8Array
      nextKey += 1
      step(session, { type: 'submit', operation, readOnly: false })
    }
  }

  const onCompleted = (session: Session, effect: Extract<ClientEffect, { type: 'completed' }>): void => {
    const now = performance.now()
    if (decodeResult(effect.result)?.ok !== true) window.wrong()
    session.completed += 1
    window.completed(now, now - session.startedAt, effect.view, effect.seq)
    if (running) submit(session)
  }

  const perform = (session: Session, effect: ClientEffect): void => {
    switch (effect.type) {
      case 'send':
        if (effect.attempt > 1) window.resent()
        links.send(effect.to, effect.request)
        break
      case 'set-timer':
        session.dueAt = performance.now() + effect.delayMs
        break
      case 'cancel-timer':
        session.dueAt = Infinity
        break
      case 'completed':
        onCompleted(session, effect)
        break
      case 'reply-counted':
        break
    }
  }

  const step = (session: Session, input: ClientInput): void => {
    for (const effect of session.core.step(input, Date.now())) perform(session, effect)
  }

  const sessions = Array.from({ length: settings.clients }, (_, k): Session => {
    const client = `${links.principal}/bench-${k}`
    const core = createClient(
      { n, client: asClientId(client), retryMs: settings.retryMs, retryMaxMs: settings.retryMaxMs },
      { digest: sha256, authenticate: (request, signed) => links.authenticate(request, signed) },
    )
    const session: Session = { core, key: `own-${k}`, startedAt: 0, dueAt: Infinity, completed: 0 }
    links.listen(client, (input) => step(session, input))
    return session
  })

  const timer = setInterval(() => {
    const now = performance.now()
    for (const session of sessions) if (session.dueAt <= now) step(session, { type: 'timer' })
  }, tickMs)
  for (const session of sessions) submit(session)
  return {
    stop() {
      running = false
      clearInterval(timer)
      links.close()
    },
  }
}
