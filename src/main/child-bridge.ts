/**
 * Runs a child's script in a utility process as if `child_process` had started it: its channel to the parent looks like Node's,
 * so that replica and recorder need not know who launched them. Arguments: the script, then its own. When the parent is gone,
 * Chromium ends the process itself.
 */
import { pathToFileURL } from 'node:url'

const port = process.parentPort
const [node = '', , entry = '', ...args] = process.argv

process.argv = [node, entry, ...args]
process.send = (message: unknown): boolean => {
  port.postMessage(message)
  return true
}
Object.defineProperty(process, 'connected', { value: true, writable: true })
port.on('message', (event) => process.emit('message', event.data, undefined))

void import(pathToFileURL(entry).href)
