import { verifyLog, type LogFault, type LogReader, type LogTrust, type VerifiedLog } from '@sallyport/contract/log'
import { checkpointPath, cosignedPath } from '../audit/log-files.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'

export interface FetchTerms {
  readonly reader: LogReader
  readonly trust: LogTrust
  /** Takes a file of the log under its path. @throws Fault */
  readonly keep: (path: string, bytes: Uint8Array) => Promise<void>
  readonly onProgress: (entries: number, size: number) => void
}

/**
 * Copies a log out of an archive, while it is verified: each file is read once, and what `keep` was given is the log that verified, to the byte, unless the verdict is a fault.
 *
 * @throws Fault
 */
export async function fetchArchive({ reader, trust, keep, onProgress }: FetchTerms): Promise<VerifiedLog | LogFault> {
  const keeping = async (path: string, bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    if (bytes) await keep(path, bytes)
    return bytes
  }
  const keepingText = async (path: string, text: string | undefined): Promise<string | undefined> => {
    if (text !== undefined) await keep(path, Buffer.from(text))
    return text
  }
  // Whatever the trust is, so that whoever gets the copy can ask for the witnesses.
  const cosigned = await keepingText(cosignedPath, await reader.cosigned?.())
  const copying: LogReader = {
    checkpoint: async () => keepingText(checkpointPath, await reader.checkpoint()),
    cosigned: () => Promise.resolve(cosigned),
    tile: async (path) => keeping(path, await reader.tile(path)),
  }
  return verifyLog(copying, trust, nodeLogCrypto, { onProgress })
}
