/** `npm start`: from a bare clone to an open panel. Arguments go to `pbft-panel serve` where the browser shell is used. */
import { main } from './lib/stages.mjs'
import { start } from './lib/start.mjs'

await main(() => start(process.argv.slice(2)))
