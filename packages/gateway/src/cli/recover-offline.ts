import { randomBytes } from 'node:crypto'
import { entryTime } from '../audit/entries.ts'
import type { AgentStore } from '../control/authority/agent-store.ts'
import { recoverAuthority } from '../control/authority/authority.ts'
import { dataFolder } from '../control/data-folder.ts'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import { openCluster } from '../drivers/postgres/open-cluster.ts'
import { SqliteAgentStore } from '../drivers/sqlite/agent-store.ts'
import { openDatabase } from '../drivers/sqlite/database.ts'
import { withLogOffline } from './open-log-offline.ts'

/**
 * Recovers the authority on the data folder itself, for a gateway that is down because its keys are lost or damaged. The log is held meanwhile, so that no
 * gateway can start in between, and has the entry of the recovery.
 *
 * @throws Fault when a gateway holds the folder, or the log or the database cannot be written; repeat it until it resolves
 */
export async function recoverOffline(
  folder: string,
  { configuration, cluster }: Pick<CompiledConfiguration, 'configuration' | 'cluster'>,
  person: string,
): Promise<{ readonly kind: 'recovered' }> {
  const places = dataFolder(folder)
  return withLogOffline(folder, configuration.trustDomain, async ({ log, now, trustDomain }) => {
    const { store, close } = await openAgents(places.database, cluster)
    try {
      const note = (act: Parameters<Parameters<typeof recoverAuthority>[0]['note']>[0]): Promise<number> => log.append({ v: 1, time: entryTime(now()), ...act })
      await recoverAuthority({ directory: places.authority, store, note, now, random: randomBytes }, trustDomain, person)
    } finally {
      await close()
    }
    return { kind: 'recovered' }
  })
}

/** The agents of this gateway, or those that it shares with others. */
async function openAgents(place: string, cluster: CompiledConfiguration['cluster']): Promise<{ readonly store: AgentStore; close(): Promise<void> }> {
  if (cluster) {
    const shared = await openCluster(cluster, () => undefined) // what fails is thrown where it is asked for
    return { store: shared.agents, close: () => shared.close() }
  }
  const database = openDatabase(place)
  return { store: new SqliteAgentStore(database), close: async () => database.close() }
}
