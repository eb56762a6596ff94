import { randomBytes } from 'node:crypto'
import type { AgentStore } from './control/authority/agent-store.ts'
import type { ClusterDefinition } from './control/cluster/compile-cluster.ts'
import type { ChangeFeed } from './control/cluster/cluster-change.ts'
import { dataFolder, deriveKey, keptTicketKeys } from './control/data-folder.ts'
import type { CredentialStore } from './control/login/client-credentials.ts'
import type { Seal } from './control/sessions/sealed-texts.ts'
import type { SessionTerms } from './control/sessions/session-record.ts'
import type { SessionStore } from './control/sessions/session-store.ts'
import type { KeptTicketKeys } from './control/tickets/ticket-keys.ts'
import { readKeyFile } from './drivers/key-file/key-file.ts'
import { openCluster } from './drivers/postgres/open-cluster.ts'
import { SqliteAgentStore } from './drivers/sqlite/agent-store.ts'
import { openDatabase } from './drivers/sqlite/database.ts'
import { SqliteHeldCalls } from './drivers/sqlite/held-calls.ts'
import { SqliteProviderCredentials } from './drivers/sqlite/provider-credentials.ts'
import { recordSeal } from './drivers/sqlite/record-seal.ts'
import { SqliteSecretStore } from './drivers/sqlite/secret-store.ts'
import { SqliteSessionStore } from './drivers/sqlite/session-store.ts'
import { SqliteToolDefinitions } from './drivers/sqlite/tool-definitions.ts'

export interface StateTerms {
  readonly folder: string
  /** Undefined for a gateway that shares nothing. */
  readonly cluster: ClusterDefinition | undefined
  readonly sessions: SessionTerms
  readonly report: (event: string, fault: unknown) => void
}

/** What a gateway keeps beside its log: in a database of its own, and where it is one of several, in one that they share. */
export interface State extends AsyncDisposable {
  readonly secrets: SqliteSecretStore
  readonly heldCalls: SqliteHeldCalls
  readonly definitions: SqliteToolDefinitions
  readonly agents: AgentStore
  readonly sessions: SessionStore
  readonly sessionSeal: Seal
  /** For the digests of enrolment tokens. */
  readonly tokenKey: Uint8Array
  readonly ticketKeys: KeptTicketKeys
  readonly credentials: CredentialStore
  /** What other gateways change, and the newest change before any of this was read. */
  readonly shared: { readonly feed: ChangeFeed; readonly place: number } | undefined
}

/** Chooses the drivers. @throws Fault when one of them cannot be opened; nothing stays open then */
export async function openState({ folder, cluster, sessions: terms, report }: StateTerms): Promise<State> {
  await using closing = new AsyncDisposableStack()
  const { sealingKey: keyFile, database: file } = dataFolder(folder)
  const sealingKey = await readKeyFile(keyFile)
  const database = openDatabase(file)
  closing.defer(() => database.close())
  const common = cluster && (await openCluster(cluster, (fault) => report('cluster', fault)))
  if (common) closing.defer(() => common.close())
  const shared = common && { feed: common.feed, place: await common.feed.newest() }

  const ticketSeal = recordSeal(deriveKey(sealingKey, 'ticket-keys'), randomBytes)
  const seal = (text: string): Uint8Array => ticketSeal.seal('ticket.keys', text)
  const open = (sealed: Uint8Array): string => ticketSeal.open('ticket.keys', sealed)
  const credentialSeal = recordSeal(deriveKey(sealingKey, 'provider-credentials'), randomBytes)
  const kept = closing.move()
  return {
    secrets: new SqliteSecretStore(database, sealingKey, randomBytes),
    heldCalls: new SqliteHeldCalls(database, sealingKey, randomBytes, Date.now),
    definitions: new SqliteToolDefinitions(database, sealingKey, randomBytes),
    agents: common?.agents ?? new SqliteAgentStore(database),
    sessions: common?.sessions(terms) ?? new SqliteSessionStore(database, terms, Date.now),
    sessionSeal: recordSeal(deriveKey(sealingKey, 'session-store'), randomBytes),
    tokenKey: deriveKey(sealingKey, 'enrolment-tokens'),
    ticketKeys: common?.ticketKeys(seal, open) ?? keptTicketKeys(folder, seal, open),
    credentials: common?.credentials(credentialSeal) ?? new SqliteProviderCredentials(database, credentialSeal),
    shared,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
