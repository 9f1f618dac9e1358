/** The checks that fail the build: formatting, lint, types, the import fence, unused code. */
import { inModules, toolEnvironment } from './paths.mjs'
import { run } from './run.mjs'

const tool = (...parts) => inModules(...parts)

export const checks = [
  { name: 'format', args: [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', args: [tool('eslint', 'bin', 'eslint.js'), '--max-warnings', '0', '.'] },
  { name: 'types', args: [tool('vue-tsc', 'bin', 'vue-tsc.js'), '-b'] },
  {
    name: 'fence',
    args: [tool('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'), '--config', '.dependency-cruiser.cjs', 'src'],
  },
  { name: 'unused', args: [tool('knip', 'bin', 'knip.js'), '--no-progress'] },
]

/** Runs one check; resolves with its name, whether it held, and its output. */
export const runCheck = async (node, { name, args }) => {
  const { code, output } = await run(node, args, { env: toolEnvironment(), quiet: true })
  return { name, ok: code === 0, output }
}
