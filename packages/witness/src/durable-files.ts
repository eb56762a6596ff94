import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes the file, or puts the text in place of what it held: after a crash there is the one or the other. Durable when it resolves; for this user alone. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
  await syncFolder(dirname(path))
}

/** Makes a folder, and those above it that are missing. Durable as a name when it resolves, also where it was made just before a crash. */
export async function makeFolder(path: string): Promise<void> {
  const first = (await mkdir(path, { recursive: true, mode: 0o700 })) ?? path
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
