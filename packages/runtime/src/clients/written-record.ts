import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { clientNames, type ClientName } from './client.ts'
import { nothingWritten, type Written } from './plan-change.ts'

/** A configuration that we have written to. */
export interface WrittenFile {
  readonly client: ClientName
  /** Absolute, behind symbolic links. */
  readonly file: string
  readonly written: Written
}

const recordFile = 'clients.json'
const bytesMax = 1_048_576

const text = z.string().max(8_192)
const entry = z.record(text, z.union([text, z.array(text).max(64), z.record(text, text)]))
const record = z.strictObject({
  version: z.literal(1),
  files: z
    .array(
      z.strictObject({
        client: z.enum(clientNames),
        file: text,
        entries: z.record(text, z.array(entry).max(4)),
        isFileOurs: z.boolean(),
        levelsOurs: z.int().min(0).max(8),
      }),
    )
    .max(1_024),
})

/**
 * Reads what was written to clients' configurations on behalf of the identity in `directory`.
 *
 * @throws Fault `not-done` when the record is damaged.
 */
export async function readWritten(directory: string): Promise<readonly WrittenFile[]> {
  const path = join(directory, recordFile)
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  })
  if (content === undefined) return []
  try {
    if (content.length > bytesMax) throw new RangeError(`larger than ${bytesMax} bytes`)
    return record.parse(JSON.parse(content)).files.map(({ client, file, entries, isFileOurs, levelsOurs }) => ({
      client,
      file,
      written: { entries: new Map(Object.entries(entries)), isFileOurs, levelsOurs },
    }))
  } catch (error) {
    throw new Fault(`${path} is damaged: what "sallyport connect" wrote must be removed from the clients by hand, and then this file`, 'not-done', error)
  }
}

export function writtenIn(all: readonly WrittenFile[], client: ClientName, file: string): Written {
  return all.find((one) => one.client === client && one.file === file)?.written ?? nothingWritten
}

/** Records what stands in one configuration now. Durable when it resolves; whoever calls holds the lock of the record. @throws Fault */
export async function recordWritten(directory: string, { client, file, written }: WrittenFile): Promise<void> {
  const others = (await readWritten(directory)).filter((one) => one.client !== client || one.file !== file)
  const all = written.entries.size === 0 ? others : [...others, { client, file, written }]
  const files = all.map((one) => ({ client: one.client, file: one.file, ...one.written, entries: Object.fromEntries(one.written.entries) }))
  const path = join(directory, recordFile)
  const unfinished = join(directory, `.${recordFile}.${randomUUID()}`)
  try {
    const handle = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      await handle.writeFile(`${JSON.stringify({ version: 1, files }, undefined, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw new Fault(`${path} cannot be written`, 'not-done', error)
  }
}
