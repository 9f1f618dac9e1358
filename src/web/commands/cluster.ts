/** `pbft-panel cluster create DIR`: keys and cluster.json. */
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { createClusterFolder, manifestName } from '../../cluster/folder.ts'
import { authenticationSchema, durabilitySchema, keyFileOfReplica, type Authentication, type Durability } from '../../contract/manifest.ts'
import { replicaCount, wholeNumber } from '../numbers.ts'
import { CommandError, print, printJson, UsageError } from '../output.ts'

interface CreateOptions {
  readonly replicas: number
  readonly name?: string
  readonly hosts?: readonly string[]
  readonly basePort?: number
  readonly durability: Durability
  readonly authentication: Authentication
  readonly json?: boolean
}

const oneOf =
  <T extends string>(name: string, options: readonly T[]) =>
  (text: string): T => {
    const found = options.find((option) => option === text)
    if (found !== undefined) return found
    throw new UsageError(`${name} must be one of ${options.join(', ')}, not "${text}".`)
  }

const create = async (folder: string, options: CreateOptions): Promise<void> => {
  const path = resolve(folder)
  const created = await createClusterFolder(path, {
    name: options.name ?? basename(path),
    replicas: options.replicas,
    durability: options.durability,
    authentication: options.authentication,
    ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
    ...(options.basePort === undefined ? {} : { basePort: options.basePort }),
  })
  if (!created.ok) throw new CommandError(created.error)
  const file = join(path, manifestName)
  const members = created.value.replicas.map((member) => ({ ...member, keyFile: join(path, keyFileOfReplica(member.id)) }))
  if (options.json) return printJson({ manifest: file, name: created.value.name, clusterId: created.value.clusterId, members })
  print(`Created ${file}`)
  for (const member of members) print(`  r${member.id}  ${member.host}:${member.port}  ${member.keyFile}`)
  print('Give each host cluster.json and its own keys/replica-K.key and keys/replica-K.genesis only (move the latter: it lets a replica')
  print('begin with an empty disk, once); start it with: pbft-panel replica --cluster FILE --id K')
}

export const addClusterCommand = (program: Command): void => {
  const cluster = program.command('cluster').description('make clusters')
  cluster
    .command('create')
    .description('keys and cluster.json for a new cluster; one private key file for each replica')
    .argument('<dir>', 'folder to make')
    .requiredOption('--replicas <n>', 'how many replicas: 1 (development) or at least 4', replicaCount)
    .option('--name <name>', "the cluster's name (default: the folder's)")
    .option('--hosts <list>', 'hosts of the replicas, separated by commas', (text: string) => text.split(',').map((host) => host.trim()))
    .option('--base-port <port>', 'replica K listens on PORT + K', wholeNumber('--base-port', 1, 65_535 - 100))
    .option('--durability <mode>', durabilitySchema.options.join(', '), oneOf('--durability', durabilitySchema.options), 'full')
    .option(
      '--authentication <mode>',
      authenticationSchema.options.join(', '),
      oneOf('--authentication', authenticationSchema.options),
      'signature',
    )
    .option('--json', 'machine-readable answer')
    .action(create)
}
