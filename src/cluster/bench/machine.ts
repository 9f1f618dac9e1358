/** The machine that figures were measured on, and what else it was doing. Linux; elsewhere what /proc would say is null. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { percentile } from '../model/metrics.ts'

export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  /** Where the clusters' folders lie, and the median time of an fdatasync after 4 KiB there, ms. */
  readonly folder: string
  readonly fsyncMs: number
  /** Load average of the last minute before the bench began. */
  readonly loadBefore: number
}

/** Of the kernel's clock, which is 100 a second for programs on every Linux. */
const ticksPerSecond = 100
const syncs = 60
const syncBytes = 4_096

const fsyncMs = (folder: string): number => {
  const own = mkdtempSync(join(folder, 'pbft-fsync-'))
  const descriptor = openSync(join(own, 'file'), 'w')
  try {
    const times = Array.from({ length: syncs }, (_, i) => {
      writeSync(descriptor, Buffer.alloc(syncBytes), 0, syncBytes, i * syncBytes)
      const began = performance.now()
      fdatasyncSync(descriptor)
      return performance.now() - began
    })
    return (
      percentile(
        times.sort((a, b) => a - b),
        0.5,
      ) ?? 0
    )
  } finally {
    closeSync(descriptor)
    rmSync(own, { recursive: true, force: true })
  }
}

export const describeMachine = (folder: string = tmpdir()): Machine => ({
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
  system: `${process.platform} ${release()} ${process.arch}`,
  node: process.versions.node,
  folder,
  fsyncMs: Math.round(fsyncMs(folder) * 1_000) / 1_000,
  loadBefore: loadavg()[0] ?? 0,
})

const read = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** Seconds of CPU that a process has used, all its threads; null when it is gone or cannot be asked. */
export const cpuSecondsOf = (pid: number): number | null => {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The name stands in parentheses and may hold anything; fields count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident memory of a process, MiB; null as above. */
export const residentMbOf = (pid: number): number | null => {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')
  return found === null ? null : Number(found[1]) / 1_024
}

/** Seconds of CPU that everything on this machine has used since it began; null as above. */
export const busySeconds = (): number | null => {
  const fields = /^cpu\s+(.*)$/m
    .exec(read('/proc/stat') ?? '')?.[1]
    ?.split(/\s+/)
    .map(Number)
  if (fields === undefined) return null
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields
  return (user + nice + system + irq + softIrq) / ticksPerSecond
}
