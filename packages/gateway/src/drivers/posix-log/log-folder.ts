import { constants } from 'node:fs'
import { access, mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { checkpointPath, cosignedPath, type LogFiles, type LogView, type Segment } from '../../audit/log-files.ts'
import { lockFolder } from './folder-lock.ts'

/** Times a reader looks for a partial tile again that was replaced between listing and reading. */
const vanishedRetriesMax = 10

/** A log folder for reading, with or without a gateway at work on it. */
export function viewLogFolder(folder: string): LogView {
  const journal = join(folder, 'journal')
  return {
    checkpoint: async () => (await readIfThere(join(folder, checkpointPath)))?.toString('utf8'),
    cosigned: async () => (await readIfThere(join(folder, cosignedPath)))?.toString('utf8'),
    tile: (path) => readTile(folder, path),
    segments: async () => {
      const names = await listIfThere(journal)
      return names
        .filter((name) => segmentName.test(name))
        .sort()
        .map((name) => ({ firstIndex: Number.parseInt(name, 10) }))
    },
    readSegment: (segment) => readIfThere(segmentPath(journal, segment)),
  }
}

/**
 * Takes a log folder for this process, making it where it does not exist (mode 0700).
 *
 * @throws Fault `not-done` when another process holds it, or it cannot be made.
 */
export async function openLogFolder(folder: string): Promise<LogFiles> {
  const journal = join(folder, 'journal')
  await attempt('not-done', `the log folder ${folder} cannot be made`, async () => {
    await makeDirectory(journal, folder)
  })
  const lock = lockFolder(folder)
  const madeDirectories = new Set<string>([folder, journal])
  let segmentHandle: FileHandle | undefined

  const makeParents = async (directory: string): Promise<void> => {
    if (madeDirectories.has(directory)) return
    await makeDirectory(directory, folder)
    madeDirectories.add(directory)
  }

  return {
    ...viewLogFolder(folder),
    startSegment: (segment) =>
      attempt('unknown', 'the log cannot start a journal segment', async () => {
        await segmentHandle?.close()
        segmentHandle = undefined
        segmentHandle = await open(segmentPath(journal, segment), constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600)
        await syncDirectory(journal)
      }),
    append: (bytes) =>
      attempt('unknown', 'the log cannot write to its journal', async () => {
        if (!segmentHandle) throw new TypeError('no segment was started')
        const { bytesWritten } = await segmentHandle.write(bytes)
        if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written: the disk is full`)
        await segmentHandle.datasync()
      }),
    cutSegment: (segment, length) =>
      attempt('unknown', 'the log cannot shorten its journal', async () => {
        const handle = await open(segmentPath(journal, segment), 'r+')
        try {
          await handle.truncate(length)
          await handle.sync()
        } finally {
          await handle.close()
        }
      }),
    removeSegment: (segment) => attempt('unknown', 'the log cannot remove a journal segment', () => rm(segmentPath(journal, segment), { force: true })),
    publish: (path, bytes) =>
      attempt('unknown', `the log cannot write ${path}`, async () => {
        const target = join(folder, path)
        await makeParents(dirname(target))
        const temporary = `${target}.new`
        const handle = await open(temporary, 'w', 0o600)
        try {
          await handle.writeFile(bytes)
          await handle.datasync()
        } finally {
          await handle.close()
        }
        await rename(temporary, target)
        await syncDirectory(dirname(target))
      }),
    removePartials: (path, width) =>
      attempt('unknown', `the log cannot remove what ${path} replaces`, async () => {
        const directory = join(folder, `${path}.p`)
        for (const name of await listIfThere(directory)) {
          if (Number.parseInt(name, 10) < width) await rm(join(directory, name), { force: true })
        }
      }),
    has: (path) =>
      attempt('not-done', `the log cannot look for ${path}`, () =>
        access(join(folder, path)).then(
          () => true,
          () => false,
        ),
      ),
    close: async () => {
      await segmentHandle?.close()
      segmentHandle = undefined
      lock.release()
    },
  }
}

const segmentName = /^[0-9]{16}\.batches$/

function segmentPath(journal: string, { firstIndex }: Segment): string {
  return join(journal, `${String(firstIndex).padStart(16, '0')}.batches`)
}

/** Reads a published file; in place of a partial one that is gone, the next wider one. */
async function readTile(folder: string, path: string): Promise<Buffer | undefined> {
  const [, full, widthText] = /^(.*)\.p\/([0-9]+)$/.exec(path) ?? []
  if (full === undefined || widthText === undefined) return readIfThere(join(folder, path))
  for (let attempts = 0; attempts < vanishedRetriesMax; attempts += 1) {
    const widths = (await listIfThere(join(folder, `${full}.p`))).map(Number).filter((width) => width >= Number(widthText))
    if (widths.length === 0) return readIfThere(join(folder, full))
    const found = await readIfThere(join(folder, `${full}.p`, String(Math.min(...widths))))
    if (found) return found
  }
  return undefined
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new Fault(`the log cannot read ${path}`, 'not-done', error)
  }
}

async function listIfThere(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw new Fault(`the log cannot list ${directory}`, 'not-done', error)
  }
}

/**
 * Makes a directory in the log's folder, that folder and what is missing above it, each durable as a name. So are those that are there already: they may have been made by a
 * process that was killed before it had synced them.
 */
async function makeDirectory(directory: string, folder: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 })
  const first = made !== undefined && made.length < folder.length ? made : folder
  for (let at = directory; at.length >= first.length; at = dirname(at)) await syncDirectory(dirname(at))
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function attempt<Value>(outcome: Fault['outcome'], message: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act()
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new Fault(`${message}: ${cause}`, outcome, error)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
