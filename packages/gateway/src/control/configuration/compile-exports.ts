import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { Fault, sizeBytes, type ExportConfiguration } from '@sallyport/contract'
import type { TlsFiles } from '../../forward/upstream-definition.ts'
import type { ExportSettings } from '../../export/export-settings.ts'
import { tlsFiles, type NamedFiles } from './named-files.ts'
import type { FaultAt } from './read-configuration.ts'

const rotateBytesDefault = 100 * 1024 ** 2
const keepDefault = 10
const portMax = 65_535

interface ExportFault {
  readonly path: readonly string[]
  readonly message: string
  readonly hint?: string
}

/** All exports, and what is wrong with those that cannot be. */
export async function compileExports(
  given: Readonly<Record<string, ExportConfiguration>>,
  files: NamedFiles,
): Promise<{ readonly settings: readonly ExportSettings[]; readonly faults: readonly FaultAt[] }> {
  const settings: ExportSettings[] = []
  const faults: FaultAt[] = []
  for (const [name, one] of Object.entries(given)) {
    try {
      const compiled = compileExport(name, one, await tlsFiles(one.tls, files), files.folder)
      if ('fault' in compiled) faults.push(at(name, compiled.fault))
      else settings.push(compiled)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push({ where: ['exports', name], message: error.message })
    }
  }
  return { settings, faults: [...faults, ...findSharedFiles(settings)] }
}

function at(name: string, { path, message, hint }: ExportFault): FaultAt {
  return { where: ['exports', name, ...path], message, ...(hint !== undefined && { hint }) }
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

/** Two that write and put aside the same file would take each other's lines away. */
function findSharedFiles(exports: readonly ExportSettings[]): readonly FaultAt[] {
  const owners = new Map<string, string>()
  return exports.flatMap(({ name, to }) => {
    const owner = to.kind === 'file' ? owners.get(to.path) : undefined
    if (to.kind === 'file' && owner === undefined) owners.set(to.path, name)
    return owner === undefined ? [] : [at(name, { path: ['to'], message: `the export ${owner} writes this file`, hint: 'give each export a file of its own' })]
  })
}

/**
 * An export appends to its file and puts it aside: it must be none that the gateway lives of.
 *
 * @param own files and folders
 * @throws Fault
 */
export async function refuseExportsInto(own: readonly string[], exports: readonly ExportSettings[]): Promise<void> {
  const owned = await Promise.all(own.map(placeOf))
  for (const { name, to } of exports) {
    const path = to.kind === 'file' ? await placeOf(to.path) : undefined
    if (path !== undefined && owned.some((place) => isWithin(place, path)))
      throw new Fault(`the export ${name} would write into what the gateway itself keeps: choose a file outside of the data folder`, 'not-done')
  }
}

/** With the links of its folder followed. */
async function placeOf(path: string): Promise<string> {
  const folder = await realpath(dirname(resolve(path))).catch(() => dirname(resolve(path)))
  return join(folder, basename(path))
}

function isWithin(place: string, path: string): boolean {
  const way = relative(place, path)
  return !(way === '..' || way.startsWith('../') || isAbsolute(way))
}
