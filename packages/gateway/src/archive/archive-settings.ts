import { hash } from 'node:crypto'

/** The archive of the configuration. Can be handed to another thread. */
export interface ArchiveSettings {
  readonly bucket: string
  /** With a slash at its end. */
  readonly prefix: string
  readonly region: string
  /** Undefined: that of AWS. */
  readonly endpoint: string | undefined
  /** Undefined: the usual places of the AWS SDK are asked. */
  readonly access: { readonly keyId: string; readonly secretName: string } | undefined
  readonly retainMs: number
  readonly everyMs: number
}

/** The access key, with its secret. */
export interface ArchiveCredential {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Of the file that says how far this archive is: another place is another archive, and begins anew. */
export function cursorNameOf(settings: Pick<ArchiveSettings, 'bucket' | 'prefix' | 'endpoint'>): string {
  return hash('sha256', `${settings.endpoint ?? ''} ${archivePlace(settings)}`).slice(0, 32)
}

/** As people write it. */
export function archivePlace({ bucket, prefix }: Pick<ArchiveSettings, 'bucket' | 'prefix'>): string {
  return `s3://${bucket}/${prefix}`
}
