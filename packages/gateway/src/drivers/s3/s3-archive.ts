import { hash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import { Fault, GatheredBytes } from '@sallyport/contract'
// Of this package the types alone: the rest is loaded when an archive is opened.
import type { ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3'
import { archivePlace, type ArchiveCredential, type ArchiveSettings } from '../../archive/archive-settings.ts'
import type { ArchivedObject, ArchiveStore, FirstVersion } from '../../archive/archive-store.ts'

/** `deadlineMs`: for one request, with what the SDK repeats of it. An object holds a bundle at most, of 256 entries of 65,535 bytes. */
export const s3Limits = { deadlineMs: 30_000, connectMs: 5_000, objectBytesMax: 256 * (65_535 + 2), pagesMax: 100_000, connections: 16, attempts: 3 } as const

/**
 * An archive in a bucket of S3, or of what speaks its protocol, that has versions and Object Lock.
 *
 * Each file is an object of its own, kept in compliance mode, in which no user can shorten or lift the lock, root included, and made only where there is none under its
 * key. Its SHA-256 is checked by the other side before it answers.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @param credential undefined: the usual places of the AWS SDK are asked
 */
export async function openS3Archive(
  { bucket, prefix, region, endpoint }: Pick<ArchiveSettings, 'bucket' | 'prefix' | 'region' | 'endpoint'>,
  credential: ArchiveCredential | undefined,
): Promise<ArchiveStore> {
  const s3 = await import('@aws-sdk/client-s3')
  const place = archivePlace({ bucket, prefix })
  const agent = { keepAlive: true, maxSockets: s3Limits.connections }
  const client = new s3.S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(credential && { credentials: { ...credential } }),
    maxAttempts: s3Limits.attempts,
    requestHandler: {
      connectionTimeout: s3Limits.connectMs,
      requestTimeout: s3Limits.deadlineMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
    // Every object carries a SHA-256 of ours.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const ask = async <Output>(what: string, send: (signal: AbortSignal) => Promise<Output>): Promise<Output> => {
    try {
      return await send(AbortSignal.timeout(s3Limits.deadlineMs))
    } catch (error) {
      throw faultOf(place, what, error)
    }
  }
  return {
    objection: async () => {
      try {
        const { ObjectLockConfiguration } = await client.send(new s3.GetObjectLockConfigurationCommand({ Bucket: bucket }), {
          abortSignal: AbortSignal.timeout(s3Limits.deadlineMs),
        })
        return ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled' ? undefined : unlocked(bucket)
      } catch (error) {
        const name = nameOf(error)
        if (name === 'ObjectLockConfigurationNotFoundError') return unlocked(bucket)
        if (name === 'NoSuchBucket') return `there is no bucket ${bucket}: make it, with Object Lock`
        throw faultOf(place, 'its lock', error)
      }
    },
    keep: async (path, bytes, untilMs) => {
      try {
        await client.send(
          new s3.PutObjectCommand({
            Bucket: bucket,
            Key: `${prefix}${path}`,
            Body: bytes,
            ContentLength: bytes.length,
            ChecksumSHA256: hash('sha256', bytes, 'base64'),
            IfNoneMatch: '*',
            ObjectLockMode: 'COMPLIANCE',
            ObjectLockRetainUntilDate: new Date(untilMs),
          }),
          { abortSignal: AbortSignal.timeout(s3Limits.deadlineMs) },
        )
        return 'kept'
      } catch (error) {
        if (nameOf(error) === 'PreconditionFailed') return 'exists'
        throw faultOf(place, path, error, 'unknown')
      }
    },
    list: async function* (from) {
      let marker: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {}
      /** The last key of a page, whose older versions may be on the next one. */
      let held: Listed | undefined
      for (let pages = 0; ; pages += 1) {
        if (pages === s3Limits.pagesMax) throw new Fault(`${place} lists more objects below ${from} than a log can have`, 'not-done')
        const page = await ask(`the objects below ${from}`, (abortSignal) =>
          client.send(
            new s3.ListObjectVersionsCommand({
              Bucket: bucket,
              Prefix: `${prefix}${from}`,
              Delimiter: '/',
              KeyMarker: marker.NextKeyMarker,
              VersionIdMarker: marker.NextVersionIdMarker,
            }),
            { abortSignal },
          ),
        )
        const found = listedIn(page, held)
        held = page.IsTruncated === true ? found.pop() : undefined
        for (const one of found) yield* shown(one, prefix.length + from.length)
        if (page.IsTruncated !== true) return
        if (page.NextKeyMarker === undefined || page.NextKeyMarker < (marker.NextKeyMarker ?? ''))
          throw new Fault(`${place} lists its objects in no order`, 'not-done')
        marker = page
      }
    },
    read: async (path, version) => {
      try {
        return await ask(path, async (abortSignal): Promise<ArchivedObject> => {
          const found = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: `${prefix}${path}`, VersionId: version }), { abortSignal })
          const isLocked = found.ObjectLockMode === 'COMPLIANCE'
          return { bytes: await bodyOf(found.Body, abortSignal), lockedUntilMs: isLocked ? found.ObjectLockRetainUntilDate?.getTime() : undefined }
        })
      } catch (error) {
        const name = error instanceof Fault ? nameOf(error.cause) : undefined
        if (name === 'NoSuchKey' || name === 'NoSuchVersion') return undefined
        throw error
      }
    },
    close: () => client.destroy(),
  }
}

/** As `openS3Archive`, with the secret that the settings name. @throws Fault when nobody has set it */
export async function openS3ArchiveWithSecret(settings: ArchiveSettings, revealShared: (name: string) => Promise<string | undefined>): Promise<ArchiveStore> {
  const { access } = settings
  if (!access) return openS3Archive(settings, undefined)
  const secretAccessKey = await revealShared(access.secretName)
  if (secretAccessKey !== undefined) return openS3Archive(settings, { accessKeyId: access.keyId, secretAccessKey })
  throw new Fault(`the archive needs the secret ${access.secretName}: sallyport secret set ${access.secretName} < FILE`, 'not-done')
}

interface Listed {
  readonly key: string
  readonly versions: readonly string[]
  readonly isHidden: boolean
}

/** By key, in the order of the keys. S3 gives the newest version of a key first. */
function listedIn({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput, held: Listed | undefined): Listed[] {
  const found = new Map<string, { key: string; versions: string[]; isHidden: boolean }>()
  const of = (key: string): { versions: string[]; isHidden: boolean } => {
    const known = found.get(key) ?? { key, versions: [], isHidden: false }
    found.set(key, known)
    return known
  }
  if (held) found.set(held.key, { key: held.key, versions: [...held.versions], isHidden: held.isHidden })
  for (const { Key, VersionId } of Versions) if (Key !== undefined && VersionId !== undefined) of(Key).versions.push(VersionId)
  for (const { Key, IsLatest } of DeleteMarkers) if (Key !== undefined && IsLatest === true) of(Key).isHidden = true
  return [...found.values()].sort((one, other) => (one.key < other.key ? -1 : 1))
}

function* shown({ key, versions, isHidden }: Listed, prefixLength: number): Generator<readonly [string, FirstVersion]> {
  const version = versions.at(-1)
  if (version !== undefined) yield [key.slice(prefixLength), { version, over: isHidden ? 'delete-marker' : versions.length > 1 ? 'version' : 'nothing' }]
}

async function bodyOf(body: unknown, signal: AbortSignal): Promise<Uint8Array> {
  if (!(body instanceof Readable)) throw new TypeError('the SDK gives bodies as streams')
  const gathered = new GatheredBytes()
  for await (const piece of addAbortSignal(signal, body)) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('a body is bytes')
    if (gathered.length + piece.length > s3Limits.objectBytesMax) throw new Error(`it is larger than ${s3Limits.objectBytesMax} bytes`)
    gathered.add(piece)
  }
  return gathered.take()
}

function unlocked(bucket: string): string {
  return `the bucket ${bucket} has no Object Lock, so whoever has its credentials could remove what is kept there: make a bucket that has it, and name that one`
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined
}

/** Of what the SDK throws, the name and status alone are told: its messages may quote requests. */
function faultOf(place: string, what: string, error: unknown, outcome: Fault['outcome'] = 'not-done'): Fault {
  if (error instanceof Fault) return error
  const status = error instanceof Error && '$metadata' in error ? httpStatusOf(error.$metadata) : undefined
  const why = error instanceof Error ? reasonOf(error) : 'unknown'
  return new Fault(`the archive ${place} does not do it (${what}): ${why}${status === undefined ? '' : `, status ${status}`}`, outcome, error)
}

function reasonOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time'
  return error.name === 'Error' ? error.message : error.name
}

function httpStatusOf(metadata: unknown): number | undefined {
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined
}
