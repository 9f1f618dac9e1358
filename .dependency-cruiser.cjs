/** ARCHITECTURE.md's table of rooms as rules: what a room may import, in our code and from npm. Anything else fails. */

const node = ['core']
/** room: [rooms it may import besides itself, npm packages, whether Node's modules are allowed] */
const rooms = {
  'pbft/protocol': { rooms: [], npm: [] },
  'pbft/wire': { rooms: ['pbft/protocol'], npm: [] },
  'pbft/service': { rooms: ['pbft/protocol'], npm: [] },
  'pbft/faults': { rooms: ['pbft/protocol'], npm: [] },
  'pbft/sim': { rooms: ['pbft/protocol', 'pbft/wire', 'pbft/service', 'pbft/faults'], npm: ['@noble/hashes'] },
  'pbft/replay': { rooms: ['pbft/protocol', 'pbft/wire', 'pbft/service'], npm: [] },
  contract: { rooms: [], npm: ['valibot'] },
  link: { rooms: ['pbft/protocol', 'pbft/wire', 'contract'], npm: ['ws', 'valibot', '@noble/curves', '@noble/hashes'], node: true },
  replica: {
    rooms: ['pbft/protocol', 'pbft/wire', 'pbft/service', 'pbft/faults', 'contract', 'link'],
    npm: ['ws', 'better-sqlite3', 'pino', 'valibot'],
    node: true,
  },
  cluster: {
    rooms: ['pbft/protocol', 'pbft/wire', 'pbft/service', 'pbft/faults', 'pbft/replay', 'contract', 'link'],
    npm: ['ws', 'valibot'],
    node: true,
  },
  'cluster/recorder': { npm: ['better-sqlite3'], partOf: 'cluster' },
  main: { rooms: ['cluster', 'contract'], npm: ['electron', 'env-paths', 'valibot'], node: true },
  preload: { rooms: ['contract'], npm: ['electron'] },
  web: { rooms: ['cluster', 'contract', 'pbft/sim'], npm: ['ws', 'sirv', 'commander', 'env-paths', 'valibot'], node: true },
  renderer: {
    rooms: ['contract'],
    npm: ['vue', 'vue-router', 'vue-i18n', 'pinia', '@vueuse/core', '@lucide/vue', 'reka-ui', 'uplot', 'valibot'],
    assets: ['@fontsource-variable/inter', '@fontsource-variable/jetbrains-mono'],
  },
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
const pathOf = (room) => `^src/${escape(room)}/`
const npmPathOf = (name) => `node_modules/${escape(name)}/`
const npmTypes = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown']

const rulesOf = ([room, rule]) => {
  if (rule.partOf !== undefined) return []
  const parts = Object.entries(rooms).filter(([, other]) => other.partOf === room)
  const from = { path: pathOf(room), pathNot: parts.map(([name]) => pathOf(name)) }
  const npm = [...rule.npm, ...(rule.assets ?? [])]
  const name = room.replace('/', '-')
  const rules = [
    {
      name: `${name}-rooms`,
      severity: 'error',
      from: { path: pathOf(room) },
      to: { path: '^src/', pathNot: [room, ...rule.rooms].map(pathOf) },
    },
    { name: `${name}-npm`, severity: 'error', from, to: { dependencyTypes: npmTypes, pathNot: npm.map(npmPathOf) } },
    ...parts.map(([part, more]) => ({
      name: `${part.replace('/', '-')}-npm`,
      severity: 'error',
      from: { path: pathOf(part) },
      to: { dependencyTypes: npmTypes, pathNot: [...npm, ...more.npm].map(npmPathOf) },
    })),
  ]
  if (rule.node !== true)
    rules.push({ name: `${name}-node`, severity: 'error', from: { path: pathOf(room) }, to: { dependencyTypes: node } })
  return rules
}

module.exports = {
  forbidden: [
    ...Object.entries(rooms).flatMap(rulesOf),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    // Reachability: the shell process loads no native module, whatever path an import takes.
    {
      name: 'shell-without-native',
      severity: 'error',
      from: { path: '^src/(main/index|web/cli)\\.ts$' },
      to: { path: npmPathOf('better-sqlite3'), reachable: true },
    },
    { name: 'core-without-npm', severity: 'error', from: { path: '^src/pbft/protocol/' }, to: { path: 'node_modules/', reachable: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.(css|svg|png|woff2?)$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.mts', '.vue', '.js', '.mjs', '.cjs', '.json'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
