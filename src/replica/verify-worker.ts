/** The worker thread's side of signature checking. */
import type { MessagePort } from 'node:worker_threads'
import { importPublicKey, verify, type PublicKey } from '../link/index.ts'
import type { VerifierData, VerifyAnswer, VerifyJob } from './verification.ts'

export const isVerifierData = (data: unknown): data is VerifierData =>
  typeof data === 'object' && data !== null && (data as { role?: unknown }).role === 'verifier'

/** Answers jobs until the thread is ended. */
export const serveVerification = (data: VerifierData, port: MessagePort): void => {
  const keys = data.publicKeys.map((hex): PublicKey => {
    const key = importPublicKey(hex)
    if (key === null) throw new Error('the directory holds an invalid public key')
    return key
  })
  port.on('message', (job: VerifyJob) => {
    const holds = job.keys.map((key, i) => verify(keys[key] as PublicKey, job.bytes[i] as Uint8Array, job.signatures[i] as Uint8Array))
    const answer: VerifyAnswer = { id: job.id, holds }
    port.postMessage(answer)
  })
}
