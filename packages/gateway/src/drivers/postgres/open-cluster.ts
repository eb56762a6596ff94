import type { AgentStore } from '../../control/authority/agent-store.ts'
import type { ChangeFeed } from '../../control/cluster/cluster-change.ts'
import type { CredentialStore } from '../../control/login/client-credentials.ts'
import type { SessionTerms } from '../../control/sessions/session-record.ts'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import type { SessionStore } from '../../control/sessions/session-store.ts'
import type { KeptTicketKeys } from '../../control/tickets/ticket-keys.ts'
import { PostgresAgentStore } from './agent-store.ts'
import { PostgresChanges } from './changes.ts'
import { ClusterDatabase, type ClusterSettings } from './cluster-database.ts'
import { PostgresProviderCredentials } from './provider-credentials.ts'
import { PostgresSessionStore } from './session-store.ts'
import { PostgresTicketKeys } from './ticket-keys.ts'

/** What gateways of one trust domain share. */
export interface ClusterState {
  readonly agents: AgentStore
  readonly feed: ChangeFeed
  sessions(terms: SessionTerms): SessionStore
  ticketKeys(seal: (text: string) => Uint8Array, open: (sealed: Uint8Array) => string): KeptTicketKeys
  credentials(seal: Seal): CredentialStore
  close(): Promise<void>
}

const urgentConnections = 2

/** @throws Fault when the database is not there, or was made by a newer version */
export async function openCluster(settings: ClusterSettings, report: (fault: unknown) => void): Promise<ClusterState> {
  const database = await ClusterDatabase.open(settings, report)
  // What others have revoked is heard of, and what is revoked here is kept, while every other connection is at work.
  const urgent = await ClusterDatabase.open({ ...settings, connectionsMax: urgentConnections }, report).catch(async (fault: unknown) => {
    await database.close()
    throw fault
  })
  return {
    agents: new PostgresAgentStore(database, urgent),
    feed: new PostgresChanges(urgent),
    sessions: (terms) => new PostgresSessionStore(database, terms),
    ticketKeys: (seal, open) => new PostgresTicketKeys(database, seal, open),
    credentials: (seal) => new PostgresProviderCredentials(database, seal),
    close: async () => void (await Promise.all([database.close(), urgent.close()])),
  }
}
