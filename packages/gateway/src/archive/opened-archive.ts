import type { LogReader, VerifierKey } from '@sallyport/contract/log'
import { openCheckpoint } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { ArchiveReader } from './archive-reader.ts'
import type { ArchiveView } from './archive-store.ts'

export interface LazyArchive {
  readonly reader: LogReader
  close(): void
}

/** The archive of a log for who may never need it: opened when it is first read, and anew after it failed. */
export function openWhenRead(open: () => Promise<ArchiveView>, key: VerifierKey): LazyArchive {
  let opened: Promise<{ readonly archive: ArchiveView; readonly reader: ArchiveReader }> | undefined
  const close = (): void => {
    opened?.then(({ archive }) => archive.close()).catch(() => undefined) // it was told to whoever asked for it
    opened = undefined
  }
  const reopened = async (): Promise<ArchiveReader> => {
    opened ??= open().then((archive) => ({ archive, reader: new ArchiveReader(archive, { sizeOf: sizeOfCheckpoint(key), inOrder: false }) }))
    return (await opened).reader
  }
  const trying = async <Result>(ask: (reader: ArchiveReader) => Promise<Result>): Promise<Result> => {
    try {
      return await ask(await reopened())
    } catch (error) {
      close()
      throw error
    }
  }
  const reader: LogReader = {
    checkpoint: () => trying((one) => one.checkpoint()),
    cosigned: () => trying((one) => one.cosigned()),
    tile: (path) => trying((one) => one.tile(path)),
  }
  return { reader, close }
}

/** How many entries a text covers, if the log of this key signed it. */
export function sizeOfCheckpoint(key: VerifierKey): (text: string) => number | undefined {
  return (text) => {
    const opened = openCheckpoint(text, key, nodeLogCrypto)
    return opened.kind === 'opened' ? opened.checkpoint.size : undefined
  }
}
