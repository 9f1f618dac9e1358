/** cluster.json: who is in a cluster and how it runs. Public: private keys lie beside it, one 0600 file each. */
import * as v from 'valibot'

const hex = (bytes: number) =>
  v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `must be ${bytes} bytes in lower-case hex`))
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))

export const durabilitySchema = v.picklist(['full', 'process', 'none'])
/** full: fsync before a promise leaves; process: survives kill -9; none: nothing is promised (benchmarks). */
export type Durability = v.InferOutput<typeof durabilitySchema>
export const authenticationSchema = v.picklist(['signature', 'mac'])
export type Authentication = v.InferOutput<typeof authenticationSchema>

export const replicasMax = 100

export const memberSchema = v.strictObject({
  id: whole(0, replicasMax - 1),
  host: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  port: whole(1, 65_535),
  /** Ed25519. */
  publicKey: hex(32),
})
export type Member = v.InferOutput<typeof memberSchema>

export const principalSchema = v.strictObject({
  /** First part of a client id; letters, digits, dot, dash, underscore. */
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/)),
  publicKey: hex(32),
  /** May open control links (status, faults), not only submit requests. */
  operator: v.boolean(),
})
export type Principal = v.InferOutput<typeof principalSchema>

export const parametersSchema = v.strictObject({
  checkpointInterval: whole(1, 65_536),
  logWindow: whole(2, 1_048_576),
  batchRequestsMax: whole(1, 65_536),
  batchBytesMax: whole(1_024, 16_777_216),
  pipelineMax: whole(1, 1_024),
  pendingRequestsMax: whole(1, 10_000_000),
  viewTimeoutMs: whole(20, 600_000),
  viewTimeoutMaxMs: whole(20, 3_600_000),
  statusIntervalMs: whole(10, 60_000),
  clockSkewMaxMs: whole(100, 3_600_000),
  signatureHoldMs: whole(100, 86_400_000),
  fetchTimeoutMs: whole(10, 60_000),
  tentativeExecution: v.boolean(),
  sessionsPerPrincipalMax: whole(1, 20_000),
  replyBytesPerPrincipalMax: whole(65_536, 16_777_216),
})
export type Parameters = v.InferOutput<typeof parametersSchema>

export const manifestSchema = v.pipe(
  v.strictObject({
    format: v.literal(1),
    /** Random; every handshake is bound to it. */
    clusterId: hex(16),
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    created: v.pipe(v.string(), v.isoTimestamp()),
    durability: durabilitySchema,
    authentication: authenticationSchema,
    parameters: parametersSchema,
    replicas: v.pipe(v.array(memberSchema), v.minLength(1), v.maxLength(replicasMax)),
    principals: v.pipe(v.array(principalSchema), v.minLength(1), v.maxLength(1_000)),
  }),
  v.check((m) => m.replicas.length === 1 || m.replicas.length >= 4, 'a cluster has 1 replica (development) or at least 4'),
  v.check((m) => m.replicas.every((r, i) => r.id === i), 'replicas must be listed by id, 0 to n-1'),
  v.check((m) => new Set(m.replicas.map((r) => r.publicKey)).size === m.replicas.length, 'two replicas have the same public key'),
  v.check((m) => new Set(m.replicas.map((r) => `${r.host}:${r.port}`)).size === m.replicas.length, 'two replicas have the same address'),
  v.check((m) => new Set(m.principals.map((p) => p.name)).size === m.principals.length, 'two principals have the same name'),
  v.check((m) => m.parameters.logWindow % m.parameters.checkpointInterval === 0, 'logWindow must be a multiple of checkpointInterval'),
  v.check((m) => m.parameters.logWindow >= 2 * m.parameters.checkpointInterval, 'logWindow must be at least twice checkpointInterval'),
)
export type Manifest = v.InferOutput<typeof manifestSchema>

/** The file names around a manifest, relative to its folder. */
export const keyFileOfReplica = (id: number): string => `keys/replica-${id}.key`
/** Its being there is a replica's leave to begin with an empty disk; the replica takes it away when it has begun. */
export const genesisFileOfReplica = (id: number): string => `keys/replica-${id}.genesis`
export const keyFileOfPrincipal = (name: string): string => `keys/${name}.key`
/** Beside a replica's data, in its data folder: what it recorded of its runs. A wiped disk keeps it. */
export const recordingFolder = 'recording'
