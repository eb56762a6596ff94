import { access } from 'node:fs/promises'
import type { Configuration } from '@sallyport/contract'
import { dataFolder } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { openDatabaseToRead } from '../drivers/sqlite/database.ts'
import { SqliteSecretStore } from '../drivers/sqlite/secret-store.ts'

/** Secrets that the configuration names and nobody has set, for all tenants or one: every call that needs one is refused. @throws Fault */
export async function findUnsetSecrets(
  folder: string,
  { upstreams, telemetry = {}, sessions, alerts, log }: Configuration,
  randomBytes: (length: number) => Uint8Array,
): Promise<readonly string[]> {
  const named = [
    ...Object.entries(upstreams).flatMap(([upstream, given]) => secretsOf(given).map((secret) => ({ where: `upstreams.${upstream}`, secret }))),
    ...Object.entries(telemetry).flatMap(([signal, given]) =>
      Object.values(given?.headers ?? {}).map(({ secret }) => ({ where: `telemetry.${signal}`, secret })),
    ),
    ...(log?.archive?.s3.secret === undefined ? [] : [{ where: 'log.archive', secret: log.archive.s3.secret }]),
    ...(alerts?.webhook?.secret === undefined ? [] : [{ where: 'alerts.webhook', secret: alerts.webhook.secret }]),
    ...Object.entries(sessions?.providers ?? {}).flatMap(([provider, { authentication, registration }]) =>
      [authentication.secret, registration?.token].flatMap((secret) => (secret === undefined ? [] : [{ where: `sessions.providers.${provider}`, secret }])),
    ),
  ]
  const places = dataFolder(folder)
  const isThere = await access(places.sealingKey).then(
    () => true,
    () => false,
  )
  if (named.length === 0 || !isThere) return [] // before init there is nothing to compare with
  const database = openDatabaseToRead(places.database)
  try {
    const kept = database ? await new SqliteSecretStore(database, await readKeyFile(places.sealingKey), randomBytes).list() : []
    const set = new Set(kept.map(({ name }) => name))
    return named.flatMap(({ where, secret }) => (set.has(secret) ? [] : [`${where} needs the secret ${secret}: sallyport secret set ${secret} < FILE`]))
  } finally {
    database?.close()
  }
}

function secretsOf(given: Configuration['upstreams'][string]): readonly string[] {
  if ('command' in given) return Object.values(given.secrets ?? {})
  return 'credential' in given && given.credential !== undefined ? [given.credential.secret] : []
}
