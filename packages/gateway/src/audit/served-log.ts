import { Fault } from '@sallyport/contract'
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  hashBytes,
  isCovered,
  openCheckpoint,
  readTileFile,
  tilePath,
  tileWidth,
  type TileResource,
  type VerifierKey,
} from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'

/** What outsiders are given of the log: exactly what a checkpoint that it signed covers. */
export class ServedLog {
  readonly #view: LogView
  readonly #key: VerifierKey
  readonly #isWitnessed: boolean
  readonly #prunedSize: () => Promise<number>
  /** Entries that a checkpoint is known to cover: it never covers fewer later. */
  #coveredSize = 0

  /**
   * `isWitnessed`: the newest checkpoint that witnesses cosigned is shown rather than the newest, once there is one. `prunedSize`: entries that are not here any more, whose
   * bundles are not shown.
   */
  constructor(view: LogView, key: VerifierKey, isWitnessed: boolean, prunedSize: () => Promise<number> = () => Promise.resolve(0)) {
    this.#view = view
    this.#key = key
    this.#isWitnessed = isWitnessed
    this.#prunedSize = prunedSize
  }

  /** Undefined before the first. @throws Fault when what lies there was not signed by the log */
  async checkpoint(): Promise<string | undefined> {
    const text = (this.#isWitnessed ? await this.#view.cosigned?.() : undefined) ?? (await this.#view.checkpoint())
    if (text !== undefined) this.#sizeOf(text)
    return text
  }

  /** The bytes of a tile or bundle, of its exact width; undefined for what no checkpoint covers. @throws Fault when the files are not what was signed */
  async read(resource: TileResource): Promise<Uint8Array | undefined> {
    if (!isCovered(resource, this.#coveredSize)) await this.#look()
    if (!isCovered(resource, this.#coveredSize)) return undefined
    const { index, width } = resource
    const pathOf = (some: number): string => (resource.kind === 'entries' ? bundlePath(index, some) : tilePath({ ...resource, width: some }))
    const file = await readTileFile(this.#view, pathOf, width)
    const bytes = file && (resource.kind === 'entries' ? encodeBundle(decodeBundle(file, width)) : file.subarray(0, width * hashBytes))
    if (bytes && (resource.kind === 'tile' ? bytes.length === width * hashBytes : decodeBundle(bytes, width).length === width)) return bytes
    if (!file && resource.kind === 'entries' && (index + 1) * tileWidth <= (await this.#prunedSize())) return undefined
    throw new Fault(`${pathOf(width)} is not whole: verify the log`, 'not-done')
  }

  async #look(): Promise<void> {
    const text = await this.#view.checkpoint()
    if (text !== undefined) this.#coveredSize = Math.max(this.#coveredSize, this.#sizeOf(text))
  }

  #sizeOf(text: string): number {
    const opened = openCheckpoint(text, this.#key, nodeLogCrypto)
    if (opened.kind === 'refused') throw new Fault(`the checkpoint of the log is not its own: ${opened.reason}`, 'not-done')
    return opened.checkpoint.size
  }
}
