import { constants } from 'node:fs'
import { mkdir, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'

const bytesMax = 33_554_432

/** A file as it was read. */
export interface FileRead {
  /** Where it really is, behind symbolic links; undefined text where there is none. */
  readonly path: string
  readonly text: string | undefined
  readonly mode: number
  readonly uid: number | undefined
  readonly gid: number | undefined
}

/** @throws Fault `not-done` when it cannot be read, is larger than 32 MiB or is not UTF-8. */
export async function readConfiguration(path: string): Promise<FileRead> {
  const real = await realpath(path).catch(() => path)
  const file = await open(real, constants.O_RDONLY).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  })
  if (!file) return { path: real, text: undefined, mode: 0o600, uid: undefined, gid: undefined }
  return await use(file, async () => {
    const { size, mode, uid, gid } = await file.stat()
    if (size > bytesMax) throw new Fault(`${path} is larger than ${bytesMax} bytes`, 'not-done')
    const bytes = await file.readFile()
    try {
      return { path: real, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), mode: mode & 0o7777, uid, gid }
    } catch (error) {
      throw new Fault(`${path} is not UTF-8`, 'not-done', error)
    }
  })
}

/**
 * Replaces a file that still is as it was read, in one step: a reader finds the old or the new one, whole. Mode and owner stay; a new file is for its owner alone. What was
 * there is copied to `backup` first, under the same mode. `text` undefined removes the file.
 *
 * @throws Fault `not-done` when the file has changed since it was read, or cannot be written.
 */
export async function replaceConfiguration(read: FileRead, text: string | undefined, backup: string): Promise<void> {
  const now = await readConfiguration(read.path)
  if (now.text !== read.text) throw new Fault(`${read.path} was changed by another program meanwhile: try again`, 'not-done')
  const folder = dirname(read.path)
  const unfinished = join(folder, `.${basename(read.path)}.sallyport-unfinished`)
  try {
    await mkdir(folder, { recursive: true })
    if (read.text !== undefined) await write(backup, read.text, read)
    if (text === undefined) await rm(read.path)
    else {
      await rm(unfinished, { force: true })
      await write(unfinished, text, read)
      await rename(unfinished, read.path)
    }
    await use(await open(folder, constants.O_RDONLY), (file) => file.sync())
  } catch (error) {
    await rm(unfinished, { force: true })
    throw new Fault(`${read.path} cannot be replaced: ${error instanceof Error ? error.message : String(error)}`, 'not-done', error)
  }
}

async function write(path: string, text: string, { mode, uid, gid }: FileRead): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  await use(file, async () => {
    await file.writeFile(text)
    const made = await file.stat()
    if (uid !== undefined && gid !== undefined && (made.uid !== uid || made.gid !== gid)) await file.chown(uid, gid)
    await file.chmod(mode)
    await file.sync()
  })
}

async function use<Value>(file: FileHandle, act: (file: FileHandle) => Promise<Value>): Promise<Value> {
  try {
    return await act(file)
  } finally {
    await file.close()
  }
}
