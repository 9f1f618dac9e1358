/** Manifests with real keys for tests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { genesisFileOfReplica, keyFileOfPrincipal, keyFileOfReplica, type Manifest } from '../../src/contract/manifest.ts'
import { generateKey, publicKeyOf, savePrivateKey, type PrivateKey } from '../../src/link/keys.ts'
import { defaultProtocolConfig } from '../../src/pbft/protocol/config.ts'

export interface TestCluster {
  readonly manifest: Manifest
  readonly replicaKeys: readonly PrivateKey[]
  /** An operator. */
  readonly operator: PrivateKey
  /** May submit requests only. */
  readonly guest: PrivateKey
}

/** Ports that were free a moment ago. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server)))
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export const makeCluster = (ports: readonly number[], changes: Partial<Manifest> = {}): TestCluster => {
  const replicaKeys = ports.map(() => generateKey())
  const operator = generateKey()
  const guest = generateKey()
  const manifest: Manifest = {
    format: 1,
    clusterId: '00112233445566778899aabbccddeeff',
    name: 'test',
    created: '2026-01-01T00:00:00.000Z',
    durability: 'full',
    authentication: 'signature',
    parameters: { ...defaultProtocolConfig },
    replicas: ports.map((port, id) => ({ id, host: '127.0.0.1', port, publicKey: publicKeyOf(replicaKeys[id] as PrivateKey) })),
    principals: [
      { name: 'operator', publicKey: publicKeyOf(operator), operator: true },
      { name: 'guest', publicKey: publicKeyOf(guest), operator: false },
    ],
    ...changes,
  }
  return { manifest, replicaKeys, operator, guest }
}

/** Writes cluster.json and the key files below `folder`; returns the manifest's path. */
export const writeCluster = (folder: string, cluster: TestCluster): string => {
  const file = join(folder, 'cluster.json')
  mkdirSync(dirname(join(folder, keyFileOfReplica(0))), { recursive: true })
  writeFileSync(file, JSON.stringify(cluster.manifest, null, 2))
  for (const [id, key] of cluster.replicaKeys.entries()) {
    savePrivateKey(join(folder, keyFileOfReplica(id)), key)
    writeFileSync(join(folder, genesisFileOfReplica(id)), '')
  }
  savePrivateKey(join(folder, keyFileOfPrincipal('operator')), cluster.operator)
  savePrivateKey(join(folder, keyFileOfPrincipal('guest')), cluster.guest)
  return file
}
