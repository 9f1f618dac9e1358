/**
 * The load process of the bench: warms up, measures, posts its figures, ends. Its one argument are the settings as JSON. A process
 * of its own, so that clients and the bench's own clock do not share a thread. Ends itself when its channel closes.
 */
import * as v from 'valibot'
import { openParentChannel, type ParentChannel } from '../recorder/channel.ts'
import { startEtcdLoad } from './etcd-load.ts'
import { loadSettingsSchema, type FromLoad, type LoadSettings } from './load-protocol.ts'
import { MeasuredWindow } from './measured-window.ts'
import { startPbftLoad, type RunningLoad } from './pbft-load.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const start = async (settings: LoadSettings, window: MeasuredWindow): Promise<RunningLoad> =>
  settings.target.kind === 'pbft'
    ? startPbftLoad(settings, settings.target.manifestFile, window)
    : startEtcdLoad(settings, settings.target.urls, window)

const run = async (settings: LoadSettings, channel: ParentChannel): Promise<void> => {
  const post = (message: FromLoad): void => channel.post(message)
  const window = new MeasuredWindow()
  const load = await start(settings, window)
  post({ type: 'connected' })
  await pause(settings.warmUpMs)
  window.begin(performance.now())
  post({ type: 'measuring', view: window.view, completed: window.total })
  await pause(settings.measureMs)
  post({ type: 'done', figures: window.end(performance.now()) })
  load.stop()
}

const main = async (): Promise<number> => {
  const channel = openParentChannel()
  const settings = v.safeParse(v.pipe(v.string(), v.parseJson(), loadSettingsSchema), process.argv[2])
  if (channel === null || !settings.success) {
    process.stderr.write('The load process is started by the bench, not by hand.\n')
    return 2
  }
  channel.onClosed(() => process.exit(0))
  // Not the default end, so that whoever profiles this process gets its profile.
  process.on('SIGTERM', () => process.exit(0))
  await run(settings.output, channel)
  return 0
}

main().then(
  // Stays until the parent has its figures: that ends it.
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`pbft-panel load: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
