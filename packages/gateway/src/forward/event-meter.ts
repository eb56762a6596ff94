const lineFeed = 0x0a
const carriageReturn = 0x0d

/**
 * Counts the bytes of the event under way in a stream of server-sent events: a stream has no largest size, an event has.
 *
 * @see HTML Living Standard 9.2.6, Interpreting an event stream
 */
export class EventMeter {
  #bytes = 0
  #isLineEmpty = true
  #isAfterReturn = false

  /** Takes the next bytes; the size of the largest event that they are part of, as far as it has come. */
  take(piece: Uint8Array): number {
    let largest = 0
    for (const byte of piece) {
      this.#bytes += 1
      const isHalfOfBreak = byte === lineFeed && this.#isAfterReturn
      this.#isAfterReturn = byte === carriageReturn
      if (isHalfOfBreak) continue
      const isBreak = byte === lineFeed || byte === carriageReturn
      if (isBreak && this.#isLineEmpty) {
        largest = Math.max(largest, this.#bytes)
        this.#bytes = 0
      }
      this.#isLineEmpty = isBreak
    }
    return Math.max(largest, this.#bytes)
  }
}
