import { bundlePath, checkpointBody, encodeBundle, leafHash, noteText, tilePath, tileWidth, Tree, type Tile } from '@sallyport/contract/log'
import { checkpointPath, type KeptCheckpoint, type LogFiles, type Segment } from './log-files.ts'
import { nodeLogCrypto, type LogSigner } from './log-key.ts'

/** Files written at once. */
const writesMax = 4

interface File {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * What the world sees of the log: entry bundles, tiles and the checkpoint, all derived from the journal's durable entries.
 *
 * A checkpoint is published only over files that are durable, and a journal segment is removed only when a published checkpoint covers it and its entries
 * stand in full bundles. So at every moment journal and bundles together hold every durable entry.
 */
export class Publication {
  readonly #files: LogFiles
  readonly #signer: LogSigner
  readonly #kept: KeptCheckpoint | undefined
  readonly #tree: Tree
  /** Entries of the unfinished bundle. */
  #bundle: Uint8Array[]
  /** Finished tiles and bundles that are not written yet. */
  #finished: File[] = []
  #backlogBytes = 0
  #segments: readonly Segment[]
  /** The partial files of the last checkpoint and their widths, by the path of the full file. */
  #partials = new Map<string, number>()
  #publishedSize: number | undefined
  #lastEntry: Uint8Array | undefined

  constructor(
    files: LogFiles,
    signer: LogSigner,
    from: { readonly size: number; readonly edge: readonly Tile[]; readonly bundle: readonly Uint8Array[]; readonly publishedSize: number | undefined },
    kept?: KeptCheckpoint,
  ) {
    this.#files = files
    this.#signer = signer
    this.#kept = kept
    this.#tree = Tree.resume(nodeLogCrypto.sha256, from.size, from.edge, (tile) => this.#finish({ path: tilePath(tile), bytes: tile.bytes }))
    this.#bundle = [...from.bundle]
    this.#lastEntry = from.bundle.at(-1)
    this.#segments = []
    this.#publishedSize = from.publishedSize
    if (from.publishedSize !== undefined) this.#partials = new Map(this.#edgeFiles().map(({ full, width }) => [full, width]))
  }

  get size(): number {
    return this.#tree.size
  }

  /** Bytes of finished files that wait to be written. */
  get backlogBytes(): number {
    return this.#backlogBytes
  }

  /** The newest entry, where this object has seen it. */
  get lastEntry(): Uint8Array | undefined {
    return this.#lastEntry
  }

  get isPublished(): boolean {
    return this.#publishedSize === this.#tree.size
  }

  root(): Uint8Array {
    return this.#tree.root()
  }

  /** Adds a durable entry, whose bytes stay as they are from now on. */
  add(entry: Uint8Array): void {
    this.#lastEntry = entry
    this.#bundle.push(entry)
    this.#tree.append(leafHash(nodeLogCrypto.sha256, entry))
    if (this.#bundle.length < tileWidth) return
    const index = this.#tree.size / tileWidth - 1
    this.#finish({ path: bundlePath(index, tileWidth), bytes: encodeBundle(this.#bundle) })
    this.#bundle = []
  }

  /** Makes a segment known, so that it is removed in time. */
  follow(segment: Segment): void {
    this.#segments = [...this.#segments.filter(({ firstIndex }) => firstIndex !== segment.firstIndex), segment]
  }

  /**
   * Writes what is not written yet and then a checkpoint over everything added before the call. Never called twice at once.
   *
   * @throws Fault of the files or of the signer; the publication is of no further use then.
   */
  async publish(): Promise<void> {
    if (this.isPublished) return
    const size = this.#tree.size
    const body = checkpointBody({ origin: this.#signer.key.name, size, root: this.#tree.root() })
    const edge = this.#edgeFiles()
    const finished = this.#finished
    this.#finished = []
    this.#backlogBytes = 0

    const { name, keyId } = this.#signer.key
    const signature = await this.#signer.sign(Buffer.from(body))
    await this.#writeAll([...finished, ...edge.filter(({ full, width }) => this.#partials.get(full) !== width)])
    const note = noteText(body, [{ name, keyId, signature }])
    await this.#files.publish(checkpointPath, Buffer.from(note))
    await this.#kept?.keep(note)
    this.#publishedSize = size
    await this.#removePartials(edge)
    await this.#removeSegments(size)
  }

  #edgeFiles(): (File & { full: string; width: number })[] {
    const files = this.#tree
      .edge()
      .map((tile) => ({ path: tilePath(tile), bytes: tile.bytes, full: tilePath({ ...tile, width: tileWidth }), width: tile.width }))
    const width = this.#bundle.length
    if (width === 0) return files
    const index = Math.floor(this.#tree.size / tileWidth)
    return [...files, { path: bundlePath(index, width), bytes: encodeBundle(this.#bundle), full: bundlePath(index, tileWidth), width }]
  }

  async #writeAll(files: readonly File[]): Promise<void> {
    const waiting = files.values()
    const write = async (): Promise<void> => {
      for (const { path, bytes } of waiting) await this.#files.publish(path, bytes)
    }
    // All of them have ended before this fails: whoever opens the folder next must be alone with it.
    const written = await Promise.allSettled(Array.from({ length: writesMax }, write))
    for (const result of written) if (result.status === 'rejected') throw result.reason
  }

  /** The partials of the checkpoint before this one stay, for readers who are at work on it. */
  async #removePartials(edge: readonly { readonly full: string; readonly width: number }[]): Promise<void> {
    const before = this.#partials
    this.#partials = new Map(edge.map(({ full, width }) => [full, width]))
    for (const [full, width] of before) await this.#files.removePartials(full, this.#partials.has(full) ? width : tileWidth)
  }

  async #removeSegments(publishedSize: number): Promise<void> {
    const inFullBundles = publishedSize - (publishedSize % tileWidth)
    for (;;) {
      const [oldest, next] = this.#segments
      if (!oldest || !next || next.firstIndex > inFullBundles) return
      await this.#files.removeSegment(oldest)
      this.#segments = this.#segments.filter((segment) => segment !== oldest)
    }
  }

  #finish(file: File): void {
    this.#finished.push(file)
    this.#backlogBytes += file.bytes.length
  }
}
