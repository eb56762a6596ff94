/**
 * A dependency failed: a disk, a database, an upstream's connection.
 *
 * `not-done` says that the act certainly has no effect. `unknown` says that it may have: never retry it blindly, and never report it as not done.
 */
export class Fault extends Error {
  readonly outcome: 'not-done' | 'unknown'

  constructor(message: string, outcome: 'not-done' | 'unknown', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.outcome = outcome
  }
}

/** Ends every `switch` over a closed union: reaching it is a bug. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`)
}
