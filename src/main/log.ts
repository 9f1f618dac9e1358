/** The shell's own log: a file in the logs folder that begins anew when it is large, so that it cannot fill a disk. */
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

const bytesMax = 1_048_576

const isLarge = (file: string): boolean => {
  try {
    return statSync(file).size > bytesMax
  } catch {
    return false
  }
}

/** Opens the log; its function adds one line with the time. A disk that fails costs the log, not the panel. */
export const openLog = (folder: string): ((line: string) => void) => {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'electron.log')
  if (isLarge(file)) renameSync(file, `${file}.old`)
  const stream = createWriteStream(file, { flags: 'a' })
  stream.on('error', () => stream.destroy())
  return (line) => {
    if (stream.writable) stream.write(`${JSON.stringify({ time: new Date().toISOString(), message: line })}\n`)
  }
}
