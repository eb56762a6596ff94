import { constants } from 'node:fs'
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { syncFolder } from '../../control/private-files.ts'
import type { Destination } from '../../export/destination.ts'
import type { FileSettings } from '../../export/export-settings.ts'

/**
 * A file of lines. It is found anew by its name each time something is written, so that another program may take it away; it is made readable by its owner alone,
 * and one that was made before keeps its mode.
 *
 * A line that a crash has left unfinished gets its end, so that the next one starts as a line.
 */
export function rotatingFile({ path, rotateBytes, keep }: FileSettings, now: () => number): Destination {
  let file: FileHandle | undefined
  const close = (): void => {
    void file?.close().catch(() => undefined)
    file = undefined
  }
  return {
    confirmAfterMs: 0,
    send: (messages) =>
      attempt(path, async () => {
        file ??= await openWhole(path)
        await file.appendFile(messages.map((message) => `${message}\n`).join(''))
      }),
    confirm: () =>
      attempt(path, async () => {
        if (!file) return
        await file.sync()
        const { size, mode } = await file.stat()
        await file.close()
        file = undefined
        if (size >= rotateBytes) await putAside(path, mode, keep, now())
      }),
    close,
  }
}

async function openWhole(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600)
  const { size } = await file.stat()
  const last = Buffer.alloc(1)
  if (size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== 0x0a) await file.appendFile('\n')
  if (size === 0) await syncFolder(dirname(path))
  return file
}

/** What is put aside is named for the moment; the oldest beyond `keep` go. */
async function putAside(path: string, mode: number, keep: number, nowMs: number): Promise<void> {
  const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, '')
  let aside = `${path}.${stamp}`
  for (let number = 1; await isThere(aside); number += 1) aside = `${path}.${stamp}-${String(number).padStart(3, '0')}`
  await rename(path, aside)
  await (await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, mode & 0o777)).close()
  const own = `${basename(path)}.`
  const names = await readdir(dirname(path))
  const old = names.filter((name) => name.startsWith(own) && /^[0-9]{8}T[0-9]{9}Z(?:-[0-9]{3})?$/.test(name.slice(own.length))).sort()
  for (const name of old.slice(0, Math.max(0, old.length - keep))) await rm(join(dirname(path), name), { force: true })
  await syncFolder(dirname(path))
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new Fault(`${path} cannot be written: ${error instanceof Error ? error.message : 'unknown'}`, 'unknown', error)
  }
}
