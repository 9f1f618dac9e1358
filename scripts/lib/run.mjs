/** Child processes for the scripts: run to the end, or stay with them until one side stops. */
import { spawn } from 'node:child_process'
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

/**
 * Stays with a command in the foreground: signals to us go on to it, and its exit is ours. A terminal sends Ctrl-C to the whole
 * group, so the child usually has it already; a second one does no harm.
 */
export const stayWith = (command, args, env = process.env) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: 'inherit' })
    const forward = (signal) => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
    child.on('error', (error) => {
      process.stderr.write(`${command} could not be started: ${error.message}\n`)
      resolve(127)
    })
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)))
  })
