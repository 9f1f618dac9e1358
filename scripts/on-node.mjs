/** Runs one of the long tests on the project's Node 24: `node scripts/on-node.mjs FILE ARGS`. */
import { ensureInstalled, ensureNode, main } from './lib/stages.mjs'
import { stayWith } from './lib/run.mjs'

await main(async () => {
  const [file, ...args] = process.argv.slice(2)
  await ensureInstalled()
  return stayWith(ensureNode(), ['--expose-gc', file, ...args])
})
