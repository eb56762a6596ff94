import { constants } from 'node:fs'
import { link, open, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { syncFolder } from '../private-files.ts'

/**
 * Writes a file that is not there yet, mode 0600. It has its name only when it is whole and durable; what an interruption leaves is called `.NAME.unfinished`.
 *
 * @throws Fault `not-done` when there is such a file or the disk takes no more, or what `content` throws
 */
export async function writeNewFile(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const unfinished = join(dirname(path), `.${basename(path)}.unfinished`)
  const file = await attempt(path, () => open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600))
  try {
    const bytes = await writeAll(path, file, content)
    // A link is refused where the name is taken; a rename would replace what is there.
    await attempt(path, () => link(unfinished, path))
    return bytes
  } finally {
    await rm(unfinished, { force: true })
    await syncFolder(dirname(path))
  }
}

async function writeAll(path: string, file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  try {
    await file.chmod(0o600)
    for await (const piece of content) {
      await attempt(path, () => file.writeFile(piece)) // all of it, from where the last one ended
      bytes += piece.length
    }
    await attempt(path, () => file.sync())
  } finally {
    await file.close()
  }
  return bytes
}

async function attempt<Value>(path: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = reasons[code] ?? (error instanceof Error ? error.message : 'unknown')
    throw new Fault(`${path} cannot be written: ${why}`, 'not-done', error)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'there is such a file, and it is not replaced',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'files of that size are not allowed here',
}
