/** Launching by Node's child_process: the browser shell, the command line and tests. Electron has its own (src/main). */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Child, ChildExit, Launch } from './launch.ts'

/**
 * Half of V8's own choice for the young generation, MiB. What a replica makes dies within a batch or lives until the next checkpoint, so
 * more room there only keeps more garbage: with 1,600 clients 256 MiB of resident memory instead of 200, at the same CPU.
 */
const youngGenerationMb = 8

/**
 * Starts scripts by the Node that `PBFT_PANEL_NODE` names, else by the one that runs this process. Children get a process
 * group of their own, so that Ctrl-C reaches this process only and it stops them in order; they end by themselves when their
 * channel closes.
 */
export const launchByNode: Launch = (entry, options) =>
  new Promise((resolve, reject) => {
    mkdirSync(dirname(options.logFile), { recursive: true })
    const log = openSync(options.logFile, 'a')
    const child = spawn(
      process.env.PBFT_PANEL_NODE ?? process.execPath,
      [`--max-semi-space-size=${youngGenerationMb}`, entry, ...options.args],
      {
        stdio: ['ignore', log, log, 'ipc'],
        detached: process.platform !== 'win32',
        windowsHide: true,
      },
    )
    closeSync(log)
    const exits = exitOnce()
    child.once('exit', (code, signal) => exits.happened({ code, signal }))
    child.once('error', (error) => {
      exits.happened({ code: null, signal: null })
      reject(error)
    })
    child.once('spawn', () => {
      resolve({
        pid: child.pid ?? 0,
        post(message) {
          // A channel that closes meanwhile means that the child is ending; its exit says so.
          if (child.connected) child.send(message as object, () => undefined)
        },
        onMessage: (listener) => void child.on('message', listener),
        onExit: exits.listen,
        kill: (signal) => void child.kill(signal),
      } satisfies Child)
    })
  })

/** Keeps the one exit for listeners that come late. */
const exitOnce = (): { happened(exit: ChildExit): void; listen(listener: (exit: ChildExit) => void): void } => {
  let known: ChildExit | null = null
  const listeners: ((exit: ChildExit) => void)[] = []
  return {
    happened(exit) {
      if (known !== null) return
      known = exit
      for (const listener of listeners.splice(0)) listener(exit)
    },
    listen(listener) {
      if (known === null) listeners.push(listener)
      else listener(known)
    },
  }
}
