/**
 * A replica process on a machine in trouble: the real `replica/main.ts`, under a clock that jumps, a disk that is slow, and an end by
 * SIGKILL at a chosen place between what it writes and what it sends. What is to happen stands in a file, read again when it changes.
 * Arguments are the replica's; the environment's PBFT_TROUBLE names the folder of the files.
 */
import { readFileSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { Journal } from '../../src/replica/journal.ts'
import { calm, troubleFileName, type KillPoint, type Trouble } from './trouble-file.ts'

const lookMs = 50

const id = process.argv[process.argv.indexOf('--id') + 1] ?? ''
const file = join(process.env['PBFT_TROUBLE'] ?? '', troubleFileName(id))

let trouble: Trouble = calm
let readAt = 0
/** How often each place was passed since the file was read. */
const passed: Record<KillPoint, number> = { 'before-commit': 0, 'after-commit': 0, 'before-send': 0, 'after-send': 0 }

const look = (): void => {
  const changedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (changedAt === readAt) return
  readAt = changedAt
  trouble = changedAt === 0 ? calm : (JSON.parse(readFileSync(file, 'utf8')) as Trouble)
  for (const point of Object.keys(passed) as KillPoint[]) passed[point] = 0
}
look()
setInterval(look, lookMs).unref()

const pass = (point: KillPoint): void => {
  passed[point] += 1
  if (trouble.kill?.point === point && passed[point] === trouble.kill.count) process.kill(process.pid, 'SIGKILL')
}

const realNow = Date.now.bind(Date)
Date.now = () => realNow() + trouble.clockOffsetMs

const sleeper = new Int32Array(new SharedArrayBuffer(4))
const realAppend = Journal.prototype.append
Journal.prototype.append = function (this: Journal, ...given: Parameters<typeof realAppend>): void {
  pass('before-commit')
  if (trouble.commitDelayMs > 0) Atomics.wait(sleeper, 0, 0, trouble.commitDelayMs)
  realAppend.apply(this, given)
  pass('after-commit')
}

/** A binary WebSocket frame, whole: what links send. */
const finalBinary = 0x82
const realWrite = Socket.prototype.write
Socket.prototype.write = function (this: Socket, ...given: Parameters<typeof realWrite>): boolean {
  const [chunk] = given as readonly unknown[]
  if (!Buffer.isBuffer(chunk) || chunk[0] !== finalBinary) return realWrite.apply(this, given)
  pass('before-send')
  const written = realWrite.apply(this, given)
  pass('after-send')
  return written
} as typeof realWrite

await import('../../src/replica/main.ts')
