import { Fault } from '@sallyport/contract'
import { parseTilePath, tilePath, bundlePath, tileWidth, type LogReader } from '@sallyport/contract/log'
import { archivedCheckpointPath, archivedCheckpointSize, type ArchiveView, type FirstVersion } from './archive-store.ts'

/** Folders of the archive whose names are held at once. */
const foldersHeld = 8
/** Files that are read ahead of where a reader is. */
const filesAhead = 8
/** Checkpoints, the largest first, that are tried: anyone who may write can lay some there that are none. */
export const checkpointsTriedMax = 1000
/** Objects that something was laid over and that are named; the others are counted. */
export const tamperedNamedMax = 100

export interface Tampering {
  readonly count: number
  /** The first few, and what lies over each. */
  readonly named: readonly { readonly path: string; readonly over: FirstVersion['over'] }[]
  /** Objects in the place of a checkpoint that the log did not sign. */
  readonly falseCheckpoints: number
}

export interface ArchiveReaderTerms {
  /** How many entries a text covers if it is a checkpoint of the log. */
  readonly sizeOf: (checkpoint: string) => number | undefined
  /** The files are read in their order, as a verifier does. */
  readonly inOrder: boolean
}

/**
 * The log as the archive has it: of each object the first version, whatever was laid over it since, and the newest checkpoint that the log signed.
 *
 * Whoever may write to the bucket can lay other versions and delete markers over an object. They hide nothing here, and are told.
 */
export class ArchiveReader implements LogReader {
  readonly #archive: ArchiveView
  readonly #terms: ArchiveReaderTerms
  readonly #folders = new Map<string, ReadonlyMap<string, FirstVersion>>()
  readonly #ahead = new Map<string, Promise<Uint8Array | undefined>>()
  readonly #tampered = new Map<string, FirstVersion['over']>()
  #tamperedCount = 0
  #falseCheckpoints = 0

  constructor(archive: ArchiveView, terms: ArchiveReaderTerms) {
    this.#archive = archive
    this.#terms = terms
  }

  get tampering(): Tampering | undefined {
    if (this.#tamperedCount + this.#falseCheckpoints === 0) return undefined
    return { count: this.#tamperedCount, named: [...this.#tampered].map(([path, over]) => ({ path, over })), falseCheckpoints: this.#falseCheckpoints }
  }

  checkpoint(): Promise<string | undefined> {
    return this.#newest('checkpoints')
  }

  cosigned(): Promise<string | undefined> {
    return this.#newest('cosigned')
  }

  async tile(path: string): Promise<Uint8Array | undefined> {
    const bytes = await (this.#ahead.get(path) ?? this.#read(path))
    this.#ahead.delete(path)
    if (this.#terms.inOrder) await this.#readAhead(path)
    return bytes
  }

  async #readAhead(path: string): Promise<void> {
    const at = parseTilePath(path)
    if (at?.width !== tileWidth) return
    for (let index = at.index + 1; index <= at.index + filesAhead; index += 1) {
      const next = at.kind === 'tile' ? tilePath({ ...at, index }) : bundlePath(index, tileWidth)
      const [folder, name] = placeOf(next)
      if (this.#ahead.has(next) || !this.#folders.get(folder)?.has(name)) continue
      const reading = this.#read(next)
      reading.catch(() => undefined) // whoever comes to this file is told
      this.#ahead.set(next, reading)
    }
  }

  async #read(path: string): Promise<Uint8Array | undefined> {
    const [folder, name] = placeOf(path)
    // A file may have come since the folder was listed.
    const first = this.#folders.get(folder)?.get(name) ?? (await this.#list(folder)).get(name)
    return first && (await this.#archive.read(path, first.version))?.bytes
  }

  async #list(folder: string): Promise<ReadonlyMap<string, FirstVersion>> {
    const names = new Map<string, FirstVersion>()
    for await (const [name, first] of this.#archive.list(folder)) {
      names.set(name, first)
      if (first.over !== 'nothing') this.#noteTampering(`${folder}${name}`, first.over)
    }
    this.#folders.delete(folder)
    this.#folders.set(folder, names)
    const [oldest] = this.#folders.keys()
    if (this.#folders.size > foldersHeld && oldest !== undefined) this.#folders.delete(oldest)
    return names
  }

  async #newest(kind: 'checkpoints' | 'cosigned'): Promise<string | undefined> {
    let largest: (readonly [size: number, first: FirstVersion])[] = []
    for await (const [name, first] of this.#archive.list(`${kind}/`)) {
      const size = archivedCheckpointSize(name)
      if (size === undefined) continue
      largest.push([size, first])
      if (largest.length >= 2 * checkpointsTriedMax) largest = largest.slice(-checkpointsTriedMax)
    }
    for (const [size, first] of largest.slice(-checkpointsTriedMax).reverse()) {
      const path = archivedCheckpointPath(kind, size)
      const object = await this.#archive.read(path, first.version)
      const text = new TextDecoder().decode(object?.bytes)
      if (this.#terms.sizeOf(text) !== size) {
        this.#falseCheckpoints += 1
        continue
      }
      if (first.over !== 'nothing') this.#noteTampering(path, first.over)
      return text
    }
    if (largest.length >= checkpointsTriedMax)
      throw new Fault(`the log signed none of the ${checkpointsTriedMax} largest checkpoints of the archive`, 'not-done')
    return undefined
  }

  #noteTampering(path: string, over: FirstVersion['over']): void {
    if (this.#tampered.has(path)) return
    this.#tamperedCount += 1
    if (this.#tampered.size < tamperedNamedMax) this.#tampered.set(path, over)
  }
}

function placeOf(path: string): readonly [folder: string, name: string] {
  const end = path.lastIndexOf('/') + 1
  return [path.slice(0, end), path.slice(end)]
}
