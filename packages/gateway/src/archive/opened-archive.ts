import { openCheckpoint, type LogReader, type VerifierKey } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { ArchiveReader } from './archive-reader.ts'
import type { ArchiveView } from './archive-store.ts'

export interface LazyArchive {
  readonly reader: Pick<LogReader, 'tile'>
  close(): void
}

/** The files of an archive for who may never need one: opened when the first is read, and anew after it failed. */
export function openWhenRead(open: () => Promise<ArchiveView>): LazyArchive {
  let opened: Promise<ArchiveView> | undefined
  let reader: ArchiveReader | undefined
  const close = (): void => {
    opened?.then((archive) => archive.close()).catch(() => undefined) // whoever asked for it was told
    opened = undefined
    reader = undefined
  }
  const tile = async (path: string): Promise<Uint8Array | undefined> => {
    try {
      opened ??= open()
      const archive = await opened
      reader ??= new ArchiveReader(archive, { sizeOf: () => undefined, inOrder: false })
      return await reader.tile(path)
    } catch (error) {
      close()
      throw error
    }
  }
  return { reader: { tile }, close }
}

/** How many entries a text covers, if the log of this key signed it. */
export function sizeOfCheckpoint(key: VerifierKey): (text: string) => number | undefined {
  return (text) => {
    const opened = openCheckpoint(text, key, nodeLogCrypto)
    return opened.kind === 'opened' ? opened.checkpoint.size : undefined
  }
}
