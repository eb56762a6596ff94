import { METHODS } from 'node:http'
import { Duplex } from 'node:stream'

/** One whole request as one reader understood it. */
export interface ReadRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** As latin1. */
  readonly body: string
  readonly isMethodKnown: boolean
}

export function readRequest(method: string, target: string, headers: ReadRequest['headers'], body: readonly Uint8Array[]): ReadRequest {
  return { method, target: target.replace(/\?$/, ''), headers, body: Buffer.concat(body).toString('latin1'), isMethodKnown: METHODS.includes(method) }
}

/** A socket's face without a network behind it: what is pushed into it was sent by a caller, and answers vanish. */
export class DeafCaller extends Duplex {
  /** How much has happened; when it stands still, nothing more will. */
  activity = 0

  override _read(): void {
    this.activity += 1
  }

  override _write(_bytes: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.activity += 1
    done()
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }
}

/** Resolves when the caller's connection has come to rest: everything it sent has been dealt with. */
export async function atRest(caller: DeafCaller, progress: () => number): Promise<void> {
  let before = -1
  for (let still = 0; still < 3 && !caller.destroyed;) {
    await new Promise(setImmediate)
    const now = caller.activity + progress()
    still = now === before ? still + 1 : 0
    before = now
  }
}
