/** `npm run build`: shells, child processes, command line and page into out/. */
import { build, ensureInstalled, main } from './lib/stages.mjs'

await main(async () => {
  await ensureInstalled()
  process.stdout.write(await build())
  return 0
})
