/**
 * Launching inside Electron: `utilityProcess`, since packages have the fuse off that lets Electron run as plain Node. Where
 * `PBFT_PANEL_NODE` names a Node, that one runs the children instead.
 */
import { createWriteStream, mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { utilityProcess } from 'electron'
import type { Child, ChildExit, Launch } from '../cluster/launch.ts'
import { launchByNode } from '../cluster/launch-node.ts'

/** Sends a signal; one that comes too late finds nobody, which is no error. */
const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    return
  }
}

const launchByUtilityProcess: Launch = (entry, options) =>
  new Promise((resolve, reject) => {
    mkdirSync(dirname(options.logFile), { recursive: true })
    const log = createWriteStream(options.logFile, { flags: 'a' })
    const child = utilityProcess.fork(entry, [...options.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      serviceName: basename(entry),
    })
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
    let exit: ChildExit | null = null
    const listeners: ((exit: ChildExit) => void)[] = []
    child.once('exit', (code) => {
      exit = { code, signal: null }
      for (const listener of listeners.splice(0)) listener(exit)
      log.end()
      reject(new Error(`${basename(entry)} ended with code ${code} before it began`))
    })
    child.once('spawn', () => {
      const pid = child.pid ?? 0
      resolve({
        pid,
        post: (message) => child.postMessage(message),
        onMessage: (listener) => void child.on('message', listener),
        onExit: (listener) => void (exit === null ? listeners.push(listener) : listener(exit)),
        kill: (name) => signal(pid, name),
      } satisfies Child)
    })
  })

export const launchInElectron: Launch = (entry, options) =>
  process.env['PBFT_PANEL_NODE'] === undefined ? launchByUtilityProcess(entry, options) : launchByNode(entry, options)
