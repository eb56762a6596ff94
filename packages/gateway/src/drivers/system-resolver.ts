import { lookup } from 'node:dns/promises'
import type { Resolver } from '../forward/dial.ts'

/** The host's own resolver, its hosts file included. */
export const systemResolver: Resolver = {
  async resolve(host) {
    const found = await lookup(host, { all: true, order: 'verbatim' })
    return found.map(({ address }) => address)
  },
}
