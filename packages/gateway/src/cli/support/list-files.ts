import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface ListedFile {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly bytes: number
  /** Octal, permissions alone. */
  readonly mode: string
  readonly isOwn: boolean
  readonly changedAt: string
}

export interface ListedFolder {
  /** Of everything below. */
  readonly entries: number
  readonly bytes: number
  readonly files: readonly ListedFile[]
}

/** Files that are named singly; the rest is only counted. */
const listedMax = 2000
/** Names that the gateway itself gives. */
const ownName =
  /^(?:state\.db(?:-wal|-shm|\.schema-[0-9]+)?|sealing\.key|ticket\.keys|log\.key|log\.head|admin\.sock|ca(?:\/(?:trust\.json|root-[A-Za-z0-9_-]{43}\.key))?|payloads(?:\/[0-9]{13}-[A-Za-z0-9_-]{43}-[0-9a-f]{20}-[0-9]{1,8})?|log(?:\/(?:checkpoint|lock(?:\.owner)?|journal(?:\/[0-9]{16}\.batches)?|tile(?:\/[a-z0-9./]{1,64})?))?)$/

/** What lies in the data folder, never what is in it. */
export async function listFiles(folder: string): Promise<ListedFolder> {
  const names = (await readdir(folder, { recursive: true })).sort()
  const files: ListedFile[] = []
  let bytes = 0
  for (const name of names) {
    const found = await lstat(join(folder, name)).catch(() => undefined) // a running gateway replaces files
    if (!found) continue
    bytes += found.size
    if (files.length === listedMax) continue
    files.push({
      name: ownName.test(name) ? name : `[name of ${name.length}]`,
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'link' : 'other',
      bytes: found.size,
      mode: (found.mode & 0o7777).toString(8),
      isOwn: process.getuid === undefined || found.uid === process.getuid(),
      changedAt: found.mtime.toISOString(),
    })
  }
  return { entries: names.length, bytes, files }
}
