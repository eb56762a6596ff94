import { durationMs, type Configuration } from '@sallyport/contract'
import type { ArchiveSettings } from '../../archive/archive-settings.ts'
import { isLoopback } from './addresses.ts'
import type { FaultAt } from './read-configuration.ts'

const retainDefault = '2555d'
const everyDefault = '60s'

/** The archive, if there is one, and what is wrong with it. */
export function compileArchive({ log }: Configuration): { readonly settings?: ArchiveSettings; readonly faults: readonly FaultAt[] } {
  if (!log?.archive) return { faults: [] }
  const { s3, retain = retainDefault, every = everyDefault } = log.archive
  const { accessKeyId, secret: secretName } = s3
  const where = ['log', 'archive', 's3']
  const faults: FaultAt[] = []
  const { protocol, hostname = '', username = '', search = '', hash = '' } = s3.endpoint === undefined ? {} : new URL(s3.endpoint)
  if (protocol === 'http:' && !isLoopback({ host: hostname.replace(/^\[|\]$/g, '') }))
    faults.push({ where: [...where, 'endpoint'], message: 'plain http goes only to an address of this host', hint: 'use https' })
  if (username !== '' || search !== '' || hash !== '') faults.push({ where: [...where, 'endpoint'], message: 'it is no more than https://HOST:PORT' })
  if ((accessKeyId === undefined) !== (secretName === undefined))
    faults.push({ where, message: 'an access key needs its secret, and a secret its access key', hint: 'name both, accessKeyId and secret, or neither' })
  if (faults.length > 0) return { faults }
  return {
    faults,
    settings: {
      bucket: s3.bucket,
      prefix: s3.prefix,
      region: s3.region,
      endpoint: s3.endpoint,
      access: accessKeyId === undefined || secretName === undefined ? undefined : { keyId: accessKeyId, secretName },
      retainMs: durationMs(retain),
      everyMs: durationMs(every),
    },
  }
}
