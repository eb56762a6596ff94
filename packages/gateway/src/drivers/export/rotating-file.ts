import { constants } from 'node:fs'
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
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

/** What is put aside is named for its moment, and for a later one than all before it; the oldest beyond `keep` go. */
async function putAside(path: string, mode: number, keep: number, nowMs: number): Promise<void> {
  const prefix = `${basename(path)}.`
  const moments = async (): Promise<number[]> =>
    (await readdir(dirname(path)))
      .flatMap((name) => (name.startsWith(prefix) ? [momentOf(name.slice(prefix.length))] : []))
      .filter((moment) => !Number.isNaN(moment))
      .sort((one, other) => one - other)
  const nameOf = (ms: number): string => join(dirname(path), `${prefix}${stampOf(ms)}`)
  await rename(path, nameOf(Math.max(nowMs, ((await moments()).at(-1) ?? 0) + 1)))
  await (await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, mode & 0o777)).close()
  const aside = await moments()
  for (const moment of aside.slice(0, Math.max(0, aside.length - keep))) await rm(nameOf(moment), { force: true })
  await syncFolder(dirname(path))
}

/** `20261125T090000000Z`. */
function stampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '')
}

/** NaN for what is no stamp. */
function momentOf(stamp: string): number {
  const ms = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)(\d{3}Z)$/, '$1-$2-$3:$4:$5.$6'))
  return stamp.length === 19 && !Number.isNaN(ms) && stampOf(ms) === stamp ? ms : Number.NaN
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw new Fault(`${path} cannot be written: ${error instanceof Error ? error.message : 'unknown'}`, 'unknown', error)
  }
}
