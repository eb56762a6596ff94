import { gunzipSync } from 'node:zlib'

const blockBytes = 512
/** Of a whole package, unpacked. */
const tarballBytesMax = 64 * 1024 * 1024

/**
 * The files of an npm tarball by their paths below `package/`.
 *
 * @throws Error for whatever an honest one does not hold: links, devices, paths that lead out, two files of one name, programs that run by themselves, and bytes after the end
 * @see IEEE Std 1003.1-2024, pax, ustar Interchange Format
 */
export function readTarball(tarball: Uint8Array): ReadonlyMap<string, Buffer> {
  const tar = gunzipSync(tarball, { maxOutputLength: tarballBytesMax })
  const files = new Map<string, Buffer>()
  let at = 0
  for (; at + blockBytes <= tar.length;) {
    const header = tar.subarray(at, at + blockBytes)
    if (header.every((byte) => byte === 0)) break
    const { path, bytes } = readHeader(header)
    if (files.has(path)) throw new Error(`${path} is in the tarball twice`)
    at += blockBytes
    if (at + bytes > tar.length) throw new Error('the tarball is cut')
    files.set(path, tar.subarray(at, at + bytes))
    at += Math.ceil(bytes / blockBytes) * blockBytes
  }
  if (tar.subarray(at).some((byte) => byte !== 0)) throw new Error('the tarball has something after its end')
  return files
}

function readHeader(header: Buffer): { readonly path: string; readonly bytes: number } {
  const text = (start: number, length: number): string => header.toString('utf8', start, start + length).replace(/\0[^]*$/, '')
  const prefix = text(345, 155)
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`
  const kind = text(156, 1)
  if (text(257, 5) !== 'ustar' || kind !== '0') throw new Error(`${name} is no regular file (type ${JSON.stringify(kind)})`)
  const path = /^package\/((?!.*(?:^|\/)\.{0,2}(?:\/|$))[\x21-\x7e]+)$/.exec(name)?.[1]
  if (path === undefined) throw new Error(`${JSON.stringify(name)} is no path below package/`)
  const mode = Number.parseInt(text(100, 8), 8)
  if ((mode & 0o7111) !== 0) throw new Error(`${path} may be run, or as another user: mode ${mode.toString(8)}`)
  const size = text(124, 12).trim()
  if (!/^[0-7]{1,11}$/.test(size)) throw new Error(`${path} has no size`)
  return { path, bytes: Number.parseInt(size, 8) }
}
