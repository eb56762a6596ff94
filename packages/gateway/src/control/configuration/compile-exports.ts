import { resolve } from 'node:path'
import { sizeBytes, type ExportConfiguration } from '@sallyport/contract'
import type { TlsFiles } from '../../forward/upstream-definition.ts'
import type { ExportSettings } from '../../export/export-settings.ts'

const rotateBytesDefault = 100 * 1024 ** 2
const keepDefault = 10
const portMax = 65_535

export interface ExportFault {
  readonly path: readonly string[]
  readonly message: string
  readonly hint?: string
}

/** @param folder what a relative file is relative to */
export function compileExport(name: string, given: ExportConfiguration, tls: TlsFiles, folder: string): ExportSettings | { readonly fault: ExportFault } {
  const { format, to, rotate } = given
  const receiver = /^tls:\/\/(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(to)
  if (!receiver) {
    if (given.tls) return { fault: { path: ['tls'], message: 'a file has no TLS', hint: 'send to tls://HOST:PORT, or leave tls out' } }
    const rotateBytes = rotate?.size === undefined ? rotateBytesDefault : sizeBytes(rotate.size)
    return { name, format, to: { kind: 'file', path: resolve(folder, to), rotateBytes, keep: rotate?.keep ?? keepDefault } }
  }
  if (rotate) return { fault: { path: ['rotate'], message: 'only a file is rotated' } }
  const port = Number(receiver[2])
  if (port < 1 || port > portMax) return { fault: { path: ['to'], message: `there is no port ${port}` } }
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    return { fault: { path: ['tls'], message: 'a certificate needs its key, and a key its certificate' } }
  return {
    name,
    format,
    to: {
      kind: 'receiver',
      host: (receiver[1] ?? '').replace(/^\[|\]$/g, ''),
      port,
      framing: format === 'syslog' ? 'length' : 'line',
      serverName: given.tls?.serverName,
      ca: tls.ca,
      certificate: tls.certificate,
      key: tls.key,
    },
  }
}
