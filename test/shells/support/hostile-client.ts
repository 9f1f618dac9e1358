/** A client that may speak to a cluster and sends what no honest one would: any bytes as an operation, any text as its session's name. */
import { join } from 'node:path'
import { ClientLinks } from '../../../src/cluster/client/links.ts'
import { ClientSession } from '../../../src/cluster/client/session.ts'
import { openFolder } from '../../../src/cluster/folder.ts'

/** Sends `operation` as `operator/<session>` over real links and waits until it is executed. */
export async function submitBytes(folder: string, session: string, operation: Uint8Array): Promise<void> {
  const opened = openFolder(join(folder, 'cluster.json'))
  if (!opened.ok) throw new Error(opened.error.message)
  const { directory, manifest, operator } = opened.value
  const links = new ClientLinks({ directory, manifest, principal: operator })
  const client = new ClientSession(links, manifest.replicas.length, session)
  const outcome = await client.run(operation, false, 60_000)
  client.close()
  links.close()
  if (outcome.cause !== null) throw new Error(`the replicas did not answer: ${outcome.cause}`)
}
