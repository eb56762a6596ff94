import { constants } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes a file of mode 0600; durable when its folder is synced too. */
export async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Replaces or makes a file of mode 0600 whole: after a crash there is the old content or the new. Durable when it resolves. For one writer at a time. */
export async function replaceDurably(path: string, content: string): Promise<void> {
  const unfinished = `${path}.unfinished`
  await writeDurably(unfinished, content)
  await rename(unfinished, path)
  await syncFolder(dirname(path))
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
