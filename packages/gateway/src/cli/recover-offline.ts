import { randomBytes } from 'node:crypto'
import { entryTime } from '../audit/entries.ts'
import { recoverAuthority } from '../control/authority/authority.ts'
import { dataFolder } from '../control/data-folder.ts'
import { SqliteAgentStore } from '../drivers/sqlite/agent-store.ts'
import { openDatabase } from '../drivers/sqlite/database.ts'
import { withLogOffline } from './open-log-offline.ts'

/**
 * Recovers the authority on the data folder itself, for a gateway that is down because its keys are lost or damaged. The log is held meanwhile, so that no
 * gateway can start in between, and has the entry of the recovery.
 *
 * @throws Fault when a gateway holds the folder, or the log or the database cannot be written; repeat it until it resolves
 */
export async function recoverOffline(folder: string, trustDomainText: string, person: string): Promise<{ readonly kind: 'recovered' }> {
  const places = dataFolder(folder)
  return withLogOffline(folder, trustDomainText, async ({ log, now, trustDomain }) => {
    const database = openDatabase(places.database)
    try {
      const note = (act: Parameters<Parameters<typeof recoverAuthority>[0]['note']>[0]): Promise<number> => log.append({ v: 1, time: entryTime(now()), ...act })
      await recoverAuthority({ directory: places.authority, store: new SqliteAgentStore(database), note, now, random: randomBytes }, trustDomain, person)
    } finally {
      database.close()
    }
    return { kind: 'recovered' }
  })
}
