/** Files of runs on their way: out of the host in parts, and into it in parts. One of each at a time. */
import { existsSync } from 'node:fs'
import { open, rm, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ValidParams } from '../../contract/api.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { filePartBytesMax, type ExportedFile, type ExportPart, type RunInfo } from '../../contract/runs.ts'
import type { RunDesk } from './desk.ts'
import type { RunPlace } from '../recorder/protocol.ts'
import { partsOf } from './names.ts'
import { newId, type Runs } from './runs.ts'
import type { RunHead } from './schemas.ts'
import { freshFolder, type RunShelf } from './shelf.ts'

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/

export interface TransfersOptions {
  readonly shelf: RunShelf
  readonly desk: RunDesk
  readonly runs: Runs
}

interface Upload {
  readonly id: string
  readonly file: string
  readonly bytes: number
  at: number
}

export class Transfers {
  readonly #options: TransfersOptions
  #outgoing: string | null = null
  #incoming: string | null = null
  /** The folder of a run that is looked at. */
  #copy: string | null = null
  #exported: { readonly id: string; readonly file: string; readonly bytes: number } | null = null
  #upload: Upload | null = null

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  /** Errors: `not-found`, those of the recorder. */
  async export({ id, as, locale }: ValidParams<'exportRun'>): Promise<Result<ExportedFile>> {
    const place = this.#options.runs.place(id)
    if (!place.ok) return place
    this.#outgoing ??= freshFolder(this.#options.shelf, 'outgoing')
    if (this.#exported !== null) await rm(this.#exported.file, { force: true })
    const exported = newId()
    const file = join(this.#outgoing, exported)
    const { desk } = this.#options
    const written =
      as === 'run'
        ? await desk.ask('exportRun', { place: place.value, file })
        : await desk.ask('reportRun', { place: place.value, file, locale })
    if (!written.ok) return written
    const { bytes } = written.value
    this.#exported = { id: exported, file, bytes }
    return ok({ file: exported, name: fileNameOf(place.value.record.head.info, as === 'run' ? 'pbftrun' : 'html'), bytes })
  }

  /** Error `not-found`: another file was made since. */
  async part({ file, offset }: ValidParams<'exportPart'>): Promise<Result<ExportPart>> {
    const exported = this.#exported
    if (exported?.id !== file) return fail('not-found', 'this file is no longer there: export it again')
    const handle = await open(exported.file, 'r')
    try {
      const buffer = Buffer.alloc(Math.max(0, Math.min(filePartBytesMax, exported.bytes - offset)))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
      const next = offset + bytesRead
      return ok({ data: buffer.toString('base64', 0, bytesRead), next: next < exported.bytes && bytesRead > 0 ? next : null })
    } finally {
      await handle.close()
    }
  }

  /** What was under way is given up. Error `too-large`. */
  async begin({ bytes }: ValidParams<'beginImport'>): Promise<Result<{ readonly upload: string }>> {
    await this.#giveUp()
    const max = this.#options.shelf.limits.fileBytesMax
    if (bytes > max) return this.#refuse('too-large', `the file has ${bytes} bytes; files of runs may have ${max} (see the settings)`)
    this.#incoming ??= freshFolder(this.#options.shelf, 'incoming')
    const id = newId()
    this.#upload = { id, file: join(this.#incoming, id), bytes, at: 0 }
    return ok({ upload: id })
  }

  /** Errors: `not-found` (another upload has begun), `bad-request` (a part twice, or one missing, or more than was said). */
  async take({ upload: id, offset, data }: ValidParams<'importPart'>): Promise<Result<null>> {
    const upload = this.#upload
    if (upload?.id !== id) return fail('not-found', 'this upload is no longer under way: begin again')
    const bytes = Buffer.from(data, 'base64')
    const fits = base64Pattern.test(data) && offset === upload.at && upload.at + bytes.length <= upload.bytes
    if (!fits) return fail('bad-request', `the part at ${offset} does not follow the ${upload.at} bytes that came`)
    upload.at += bytes.length
    const handle = await open(upload.file, 'a', 0o600)
    try {
      await handle.writeFile(bytes)
    } finally {
      await handle.close()
    }
    return ok(null)
  }

  /** Opens what came as a run. Errors: `not-found`, `bad-request` (parts are missing), `bad-run`. */
  async end({ upload: id }: ValidParams<'endImport'>): Promise<Result<RunInfo>> {
    const upload = this.#upload
    if (upload?.id !== id) return fail('not-found', 'this upload is no longer under way: begin again')
    if (upload.at !== upload.bytes) return fail('bad-request', `${upload.at} of ${upload.bytes} bytes came`)
    try {
      return await this.import(upload.file)
    } finally {
      await this.#giveUp()
    }
  }

  async cancel({ upload }: ValidParams<'cancelImport'>): Promise<Result<null>> {
    if (this.#upload?.id === upload) await this.#giveUp()
    return ok(null)
  }

  /** A file of this machine becomes a run. Errors: `not-found`; `bad-run`: it is counted, and nothing is left of it. */
  async import(file: string): Promise<Result<RunInfo>> {
    const { shelf, desk, runs } = this.#options
    if (!existsSync(file)) return fail('not-found', `There is no file ${file}.`)
    const id = newId()
    await mkdir(shelf.folderOf(id), { recursive: true, mode: 0o700 })
    const unpacked = await desk.ask('importRun', { file, folder: join(shelf.folderOf(id), 'content'), limits: shelf.limits })
    if (unpacked.ok) return ok(await runs.add({ format: 1, head: asOpened(unpacked.value, id), place: null, after: 0, upto: null }))
    await shelf.remove(id)
    if (unpacked.error.code === 'bad-run') runs.refuse((unpacked.error.details as { readonly problem: string }).problem)
    return unpacked
  }

  /** The place of an opened run's parts; of a run of this panel a copy is made, as its file would be. Errors: `not-found`, `busy`, those of the recorder. */
  async copyForLooking(id: string): Promise<Result<RunPlace>> {
    const { shelf, desk, runs } = this.#options
    const place = runs.place(id)
    if (!place.ok || place.value.record.place === null) return place
    if (place.value.record.head.info.verdict === 'running') return fail('busy', 'this run goes on: it is what the panel shows already')
    this.#outgoing ??= freshFolder(shelf, 'outgoing')
    const [file, folder] = [join(this.#outgoing, newId()), join(this.#outgoing, newId())]
    if (this.#copy !== null) await rm(this.#copy, { recursive: true, force: true })
    const written = await desk.ask('exportRun', { place: place.value, file })
    if (!written.ok) return written
    const limits = { fileBytesMax: Number.MAX_SAFE_INTEGER, contentBytesMax: Number.MAX_SAFE_INTEGER }
    const unpacked = await desk.ask('importRun', { file, folder, limits })
    await rm(file, { force: true })
    if (!unpacked.ok) return unpacked
    this.#copy = folder
    const { record } = place.value
    return ok({ record: { ...record, place: null, after: 0, upto: null }, ...partsOf(folder, record.head.manifest.replicas.length) })
  }

  #refuse(problem: 'too-large', message: string): Result<never> {
    this.#options.runs.refuse(problem)
    return fail('bad-run', message, { problem, at: 0 })
  }

  async #giveUp(): Promise<void> {
    const upload = this.#upload
    this.#upload = null
    if (upload !== null) await rm(upload.file, { force: true })
  }
}

const asOpened = (head: RunHead, id: string): RunHead => ({ ...head, info: { ...head.info, id, source: 'file', trashedAt: null } })

/** A name that every system takes, from a name that may hold anything. */
export const fileNameOf = ({ name, began, id }: RunInfo, extension: string): string => {
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  const day = new Date(began).toISOString().slice(0, 16).replace(/[:T]/g, '-')
  return `${plain === '' ? `run-${id}` : plain.toLowerCase()}-${day}.${extension}`
}
