import { createSecretKey } from 'node:crypto'
import { parseTrustDomain, Fault, type TrustDomain } from '@sallyport/contract'
import { clockAfter } from '../audit/clock-after.ts'
import type { KeptCheckpoint } from '../audit/log-files.ts'
import { ed25519Signer } from '../audit/log-key.ts'
import type { Log } from '../audit/log.ts'
import { openLog } from '../audit/sequencer.ts'
import { dataFolder, deriveKey, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { readPrunedLog } from '../control/pruned-log.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { openLogFolder } from '../drivers/posix-log/log-folder.ts'

export interface OfflineLog {
  readonly log: Log
  readonly now: () => number
  readonly trustDomain: TrustDomain
}

/**
 * Holds the log of a folder while `work` runs, so that no gateway starts meanwhile; recovered as a gateway recovers it.
 *
 * @throws Fault when a gateway holds the folder, or the log contradicts its checkpoint or the kept one
 */
export async function withLogOffline<Result>(
  folder: string,
  trustDomainText: string,
  work: (offline: OfflineLog) => Promise<Result>,
  kept: KeptCheckpoint = keptCheckpoint(folder),
): Promise<Result> {
  const trustDomain = parseTrustDomain(trustDomainText)
  if (!trustDomain) throw new Fault(`${trustDomainText} is not a trust domain`, 'not-done')
  const places = dataFolder(folder)
  const sealingKey = await readKeyFile(places.sealingKey)
  const signer = ed25519Signer(await readLogKey(folder), createSecretKey(deriveKey(sealingKey, 'journal')))
  const { log, recovered } = await openLog(await openLogFolder(places.log), signer, { kept, pruned: await readPrunedLog(folder, sealingKey) })
  try {
    return await work({ log, now: clockAfter(recovered.lastTime), trustDomain })
  } finally {
    await log.close()
  }
}
