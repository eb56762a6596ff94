import type { FormatName } from './formats.ts'

/** One export of the configuration, with the files that it names read. Can be handed to another thread. */
export interface ExportSettings {
  readonly name: string
  readonly format: FormatName
  readonly to: FileSettings | ReceiverSettings
}

export interface FileSettings {
  readonly kind: 'file'
  /** Absolute. */
  readonly path: string
  /** The file is put aside when it has so many bytes. */
  readonly rotateBytes: number
  /** How many of those put aside are kept. */
  readonly keep: number
}

/** Over TLS 1.2 or 1.3; its certificate is always checked. */
export interface ReceiverSettings {
  readonly kind: 'receiver'
  readonly host: string
  readonly port: number
  /** How a message ends: by a line feed, or by its length in front of it (RFC 5425 section 4.3). */
  readonly framing: 'line' | 'length'
  readonly serverName: string | undefined
  /** PEM. Undefined: the authorities that Node trusts. */
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}
