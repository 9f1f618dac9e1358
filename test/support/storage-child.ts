/** Commits records until it is killed, and says after each how many are safe. Arguments: folder, durability. */
import { sha256 } from '../../src/link/keys.ts'
import { asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import { openSqliteStorage } from '../../src/replica/sqlite-storage.ts'

const [folder, durability] = process.argv.slice(2)
if (folder === undefined || (durability !== 'full' && durability !== 'process')) throw new Error('folder and durability are needed')
const storage = openSqliteStorage({ folder, clusterId: 'ab'.repeat(16), replica: 1, durability })
const digest = sha256(new Uint8Array(0))

const commit = (seq: number): void => {
  storage.commit([{ kind: 'prepared', view: asView(0), seq: asSeqNo(seq), digest }])
  process.stdout.write(`${seq}\n`, () => commit(seq + 1))
}
commit(1)
