#!/usr/bin/env node
/** The command line: the built one, on the project's Node 24. Without a command it opens the panel, like `npm start`. */
import { cliFile } from './lib/paths.mjs'
import { stayWith } from './lib/run.mjs'
import { ensureBuilt, ensureInstalled, ensureNode, main } from './lib/stages.mjs'
import { start } from './lib/start.mjs'

await main(async () => {
  const args = process.argv.slice(2)
  if (args.length === 0) return start([])
  await ensureInstalled()
  const node = ensureNode()
  await ensureBuilt()
  return stayWith(node, [cliFile, ...args], { tied: true })
})
