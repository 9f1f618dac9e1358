/** Child processes for the scripts: run to the end, or stay with them until one side stops. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { root } from './paths.mjs'

/**
 * Runs a command to its end. Resolves with its exit code (127 when it cannot be started) and, when asked, its output.
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, quiet?: boolean, timeoutMs?: number, shell?: boolean }} options
 */
export const run = (command, args, { env = process.env, cwd = root, quiet = false, timeoutMs, shell = false } = {}) =>
  new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { cwd, env, shell, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'] })
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => {
      clearTimeout(timer)
      resolve({ code: 127, output: `${output}${error.message}\n` })
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 1, output })
    })
  })

/** npm is a script on Windows, which needs a shell there. */
export const npm = (args, options = {}) => run('npm', args, { ...options, shell: process.platform === 'win32' })

/** The parent of a process, where /proc says so; else 0. */
const parentOf = (pid) => {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/**
 * Calls `gone` when npm, which started us by way of a system shell, is no more. Nothing tells us, so it is looked for: the shell
 * would wait for us for ever.
 */
const whenNpmIsGone = (gone) => {
  const ancestors = () => `${process.ppid} ${parentOf(process.ppid)}`
  const before = ancestors()
  const timer = setInterval(() => {
    if (ancestors() === before) return
    clearInterval(timer)
    gone()
  }, 1_000)
  timer.unref()
}

/**
 * Stays with a command in the foreground: signals to us go on to it, and its exit is ours. A terminal sends Ctrl-C to the whole
 * group, so the child usually has it already; a second one does no harm. `tied`: the child is a Node process and has a channel
 * to us, whose end tells it that we are gone, however that happened.
 */
export const stayWith = (command, args, { env = process.env, tied = false } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['inherit', 'inherit', 'inherit', ...(tied ? ['ipc'] : [])] })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    if (process.env.npm_lifecycle_event === 'start') whenNpmIsGone(() => child.kill('SIGTERM'))
    child.on('error', (error) => {
      process.stderr.write(`${command} could not be started: ${error.message}\n`)
      resolve(127)
    })
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)))
  })
