/** The command line of a replica process. */
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { genesisFileOfReplica, keyFileOfReplica } from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'

export interface Arguments {
  readonly manifestFile: string
  readonly id: number
  readonly keyFile: string
  /** The leave to begin (genesis.ts). */
  readonly genesisFile: string
  readonly dataFolder: string
  readonly allowFaults: boolean
  readonly recordingBytesMax: number
}

const usage = '--cluster FILE --id K [--data DIR] [--key FILE] [--allow-faults] [--recording-mb N]'

const options = {
  cluster: { type: 'string' },
  id: { type: 'string' },
  data: { type: 'string' },
  key: { type: 'string' },
  'allow-faults': { type: 'boolean', default: false },
  'recording-mb': { type: 'string', default: '256' },
} as const

/** Key and data lie beside the manifest unless said otherwise. Errors are `bad-request`. */
export const parseArguments = (args: readonly string[]): Result<Arguments> => {
  let values
  try {
    values = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    return fail('bad-request', `${(error as Error).message}; usage: ${usage}`)
  }
  if (values.cluster === undefined || values.id === undefined) return fail('bad-request', `--cluster and --id are needed; usage: ${usage}`)
  if (!/^(0|[1-9]\d?)$/.test(values.id)) return fail('bad-request', `--id is a replica's number, 0 to 99, not ${values.id}`)
  if (!/^\d{1,6}$/.test(values['recording-mb']))
    return fail('bad-request', `--recording-mb is a number of MiB, not ${values['recording-mb']}`)
  const manifestFile = resolve(values.cluster)
  const folder = dirname(manifestFile)
  const id = Number(values.id)
  return ok({
    manifestFile,
    id,
    keyFile: resolve(values.key ?? join(folder, keyFileOfReplica(id))),
    genesisFile: resolve(folder, genesisFileOfReplica(id)),
    dataFolder: resolve(values.data ?? join(folder, 'data', `replica-${id}`)),
    allowFaults: values['allow-faults'],
    recordingBytesMax: Number(values['recording-mb']) * 1_048_576,
  })
}
