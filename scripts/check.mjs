/** `npm run check [NAME...]`: format, lint, types, fence, unused. Exit code 1 when one fails. */
import { checks, runCheck } from './lib/checks.mjs'
import { ensureInstalled, ensureNode, main, StageError } from './lib/stages.mjs'

await main(async () => {
  await ensureInstalled()
  const node = ensureNode()
  const names = process.argv.slice(2)
  const unknown = names.filter((name) => checks.every((check) => check.name !== name))
  if (unknown.length > 0) throw new StageError(`No such check: ${unknown.join(', ')}. There are: ${checks.map((c) => c.name).join(', ')}.`)
  let failed = 0
  for (const check of checks.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const { ok, output } = await runCheck(node, check)
    process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${check.name}\n`)
    if (ok) continue
    failed += 1
    process.stdout.write(output)
  }
  return failed === 0 ? 0 : 1
})
