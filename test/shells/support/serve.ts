/** Starts `pbft-panel serve` as a process of its own and waits for its ready line. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dirname, '../../..')

export interface Ready {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly replicas: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
}

export interface Serving extends Ready {
  readonly process: ChildProcess
  /** What it wrote to stderr so far. */
  errors(): string
  /** Ends it in order and resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Rejects with its errors when it ends before it is ready. */
export const startServing = (args: readonly string[]): Promise<Serving> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'out/main/cli.cjs'), 'serve', '--json', ...args], {
      // The channel makes it end with us, however that happens.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => (errors += String(chunk)))
    const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)))
    void ended.then((code) => reject(new Error(`serve ended with code ${code}:\n${errors}`)))
    if (child.stdout === null) throw new Error('its output is not ours')
    createInterface(child.stdout).once('line', (line) => {
      resolve({
        ...(JSON.parse(line) as Ready),
        process: child,
        errors: () => errors,
        stop() {
          child.kill('SIGTERM')
          return ended
        },
      })
    })
  })
