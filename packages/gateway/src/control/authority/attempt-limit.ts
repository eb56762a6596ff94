import { isIPv6 } from 'node:net'

/** So many failures from one address at once, then one more each interval. */
const failuresMax = 10
const failureMs = 6_000
/** Addresses remembered; past it the one that failed longest ago is forgotten. */
const addressesMax = 4096

/** Slows down whoever keeps failing. Only failures count, so that a fleet behind one address can enrol at once. */
export class AttemptLimit {
  /** By address: when its failures will have been forgiven. In the order of the latest failure. */
  readonly #forgivenAt = new Map<string, number>()

  /** Whole seconds until the next attempt is heard; 0 means now. */
  waitSeconds(address: string, nowMs: number): number {
    const debtMs = (this.#forgivenAt.get(network(address)) ?? nowMs) - nowMs
    return Math.max(0, Math.ceil((debtMs - (failuresMax - 1) * failureMs) / 1000))
  }

  fail(address: string, nowMs: number): void {
    const from = network(address)
    const forgivenAt = Math.max(this.#forgivenAt.get(from) ?? nowMs, nowMs) + failureMs
    this.#forgivenAt.delete(from)
    this.#forgivenAt.set(from, forgivenAt)
    const [oldest] = this.#forgivenAt.keys()
    if (this.#forgivenAt.size > addressesMax && oldest !== undefined) this.#forgivenAt.delete(oldest)
  }
}

/** Whoever has one IPv6 address has its whole /64. */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) while (groups.length < 8 - tail.split(':').filter((group) => group !== '').length) groups.push('0')
  return groups.slice(0, 4).join(':')
}
