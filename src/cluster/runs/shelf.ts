/** The records of runs: one small file each, in a folder of the data folder that is named by the run's id and nothing else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rename, rm, writeFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { defaultRecordingSettings, recordingSettingsSchema, runIdSchema, type RecordingSettings } from '../../contract/runs.ts'
import type { RunFileLimits } from '../run-file/format.ts'
import { runRecordSchema, type RunRecord } from './schemas.ts'

const recordName = 'run.json'
const settingsName = 'settings.json'
const megabyte = 1_048_576
/** What a file may unpack to, of its own largest size. */
const contentFactor = 8

/** What is no JSON, or is made otherwise, is null. */
const readJson = <S extends v.GenericSchema>(schema: S, file: string): v.InferOutput<S> | null => {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

export class RunShelf {
  readonly folder: string
  readonly #records = new Map<string, RunRecord>()
  #settings: RecordingSettings
  /** Writes go one after another, so that the last one stays. */
  #writing: Promise<unknown> = Promise.resolve()

  /** Reads what there is; a record that cannot be read is left alone and not shown. `folder` is made when something is written. */
  constructor(dataFolder: string) {
    this.folder = join(dataFolder, 'runs')
    this.#settings = readJson(recordingSettingsSchema, join(this.folder, settingsName)) ?? defaultRecordingSettings
    if (!existsSync(this.folder)) return
    for (const id of readdirSync(this.folder)) {
      const record = v.is(runIdSchema, id) ? readJson(runRecordSchema, join(this.folder, id, recordName)) : null
      if (record?.head.info.id === id) this.#records.set(id, record)
    }
  }

  /** The latest first. */
  list(): RunRecord[] {
    return [...this.#records.values()].sort((a, b) => b.head.info.began - a.head.info.began)
  }

  get(id: string): RunRecord | undefined {
    return this.#records.get(id)
  }

  get settings(): RecordingSettings {
    return this.#settings
  }

  /** Of files that are opened, as the settings have it now. */
  get limits(): RunFileLimits {
    const fileBytesMax = this.#settings.fileMegabytesMax * megabyte
    return { fileBytesMax, contentBytesMax: fileBytesMax * contentFactor }
  }

  folderOf(id: string): string {
    return join(this.folder, id)
  }

  /** Shown at once, on disk when the answer resolves. Rejects with the system's error. */
  put(record: RunRecord): Promise<void> {
    const { id } = record.head.info
    this.#records.set(id, record)
    return this.#write(this.folderOf(id), recordName, record)
  }

  putSettings(settings: RecordingSettings): Promise<void> {
    this.#settings = settings
    return this.#write(this.folder, settingsName, settings)
  }

  /** The record, and what lies beside it. */
  remove(id: string): Promise<void> {
    this.#records.delete(id)
    return this.#inTurn(() => rm(this.folderOf(id), { recursive: true, force: true }))
  }

  /** Resolves when everything is on disk. */
  async settled(): Promise<void> {
    await this.#writing
  }

  #write(folder: string, name: string, value: unknown): Promise<void> {
    const text = `${JSON.stringify(value)}\n`
    return this.#inTurn(async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(join(folder, `${name}.new`), text, { mode: 0o600 })
      await rename(join(folder, `${name}.new`), join(folder, name))
    })
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(act)
    this.#writing = done.catch(() => undefined)
    return done
  }
}

/** An empty folder for files on their way; what an earlier host left there is deleted. Throws the system's error. */
export const freshFolder = (shelf: RunShelf, name: 'incoming' | 'outgoing'): string => {
  const folder = join(shelf.folder, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
