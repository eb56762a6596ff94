import { createSecretKey, randomBytes } from 'node:crypto'
import { Fault, parseTrustDomain } from '@sallyport/contract'
import { clockAfter } from '../audit/clock-after.ts'
import { entryTime } from '../audit/entries.ts'
import { ed25519Signer } from '../audit/log-key.ts'
import { openLog } from '../audit/sequencer.ts'
import { recoverAuthority } from '../control/authority/authority.ts'
import { dataFolder, deriveKey, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { openLogFolder } from '../drivers/posix-log/log-folder.ts'
import { SqliteAgentStore } from '../drivers/sqlite/agent-store.ts'
import { openDatabase } from '../drivers/sqlite/database.ts'

/**
 * Recovers the authority on the data folder itself, for a gateway that is down because its keys are lost or damaged. The log is held meanwhile, so that no
 * gateway can start in between, and has the entry of the recovery.
 *
 * @throws Fault when a gateway holds the folder, or the log or the database cannot be written; repeat it until it resolves
 */
export async function recoverOffline(folder: string, trustDomainText: string, person: string): Promise<{ readonly kind: 'recovered' }> {
  const trustDomain = parseTrustDomain(trustDomainText)
  if (!trustDomain) throw new Fault(`${trustDomainText} is not a trust domain`, 'not-done')
  const places = dataFolder(folder)
  const journalKey = createSecretKey(deriveKey(await readKeyFile(places.sealingKey), 'journal'))
  const signer = ed25519Signer(await readLogKey(folder), `${trustDomain}/sallyport`, journalKey)
  const { log, recovered } = await openLog(await openLogFolder(places.log), signer, { kept: keptCheckpoint(folder) })
  try {
    const now = clockAfter(recovered.lastTime)
    const database = openDatabase(places.database)
    try {
      const note = (act: Parameters<Parameters<typeof recoverAuthority>[0]['note']>[0]): Promise<number> => log.append({ v: 1, time: entryTime(now()), ...act })
      await recoverAuthority({ directory: places.authority, store: new SqliteAgentStore(database), note, now, random: randomBytes }, trustDomain, person)
    } finally {
      database.close()
    }
  } finally {
    await log.close()
  }
  return { kind: 'recovered' }
}
