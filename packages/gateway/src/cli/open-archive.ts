import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { Fault } from '@sallyport/contract'
import type { ArchiveSettings } from '../archive/archive-settings.ts'
import type { ArchiveStore } from '../archive/archive-store.ts'
import { openWhenRead } from '../archive/opened-archive.ts'
import type { LogView } from '../audit/log-files.ts'
import { viewPruned } from '../audit/pruned-view.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder } from '../control/data-folder.ts'
import { prunedSizeIn } from '../control/pruned-log.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { openS3Archive, openS3ArchiveWithSecret } from '../drivers/s3/s3-archive.ts'
import { openDatabaseToRead } from '../drivers/sqlite/database.ts'
import { SqliteSecretStore } from '../drivers/sqlite/secret-store.ts'
import type { Terminal } from './operator-console.ts'

/** Opens the archive that the configuration names, with the secret of the data folder. @throws Fault */
export async function openOwnArchive(folder: string, settings: ArchiveSettings): Promise<ArchiveStore> {
  const places = dataFolder(folder)
  const database = openDatabaseToRead(places.database)
  try {
    const secrets = database && new SqliteSecretStore(database, await readKeyFile(places.sealingKey), randomBytes)
    return await openS3ArchiveWithSecret(settings, async (name) => secrets?.revealShared(name))
  } finally {
    database?.close()
  }
}

/** Opens the archive of the configuration of a data folder. @throws Fault also when it names none */
export async function openConfiguredArchive(folder: string, configurationFile: string): Promise<ArchiveStore> {
  const { archive } = await loadConfiguration(resolve(configurationFile))
  if (!archive) throw new Fault('the configuration names no archive: log.archive, see docs/operate/archive.md', 'not-done')
  return openOwnArchive(folder, archive)
}

const s3Place = /^s3:\/\/([a-z0-9-]{3,63})\/((?:[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]+)\/?$/

export function isS3Place(place: string): boolean {
  return place.startsWith('s3://')
}

/** Opens s3://BUCKET/PREFIX for whoever has its credentials where the AWS SDK looks for them. @throws Fault */
export async function openArchiveAt(place: string, env: Terminal['env']): Promise<ArchiveStore> {
  const [, bucket, prefix] = s3Place.exec(place) ?? []
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
  if (bucket === undefined || prefix === undefined) throw new Fault(`${place} is not written s3://BUCKET/PREFIX`, 'not-done')
  if (region === undefined) throw new Fault('the environment must say in which AWS_REGION the bucket is', 'not-done')
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']]
  const isGiven = accessKeyId !== undefined && secretAccessKey !== undefined && env['AWS_SESSION_TOKEN'] === undefined
  return openS3Archive(
    { bucket, prefix: `${prefix}/`, region, endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] },
    isGiven ? { accessKeyId, secretAccessKey } : undefined,
  )
}

/** The log of a data folder; what was pruned there is read from the archive of the configuration, when it is asked for. */
export function viewOwnLog(folder: string, configurationFile: string): LogView & Disposable {
  const archived = openWhenRead(() => openConfiguredArchive(folder, configurationFile))
  const view = viewPruned(viewLogFolder(dataFolder(folder).log), () => prunedSizeIn(folder), archived.reader)
  return { ...view, [Symbol.dispose]: () => archived.close() }
}
