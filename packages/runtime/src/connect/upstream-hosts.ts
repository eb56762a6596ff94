import type { CatalogAnswer } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { GatewayLink, RefusedByGateway } from '../link/gateway-link.ts'

export type Upstream = CatalogAnswer['upstreams'][number]

export type FoundHost =
  | RefusedByGateway
  | { readonly kind: 'unknown'; /** Of HTTP upstreams: what a program can ask for by host. */ readonly known: readonly string[] }
  | { readonly kind: 'found'; readonly upstream: Upstream }

/** Which upstream a proxy client means by a host name. */
export interface UpstreamHosts {
  /**
   * `authority` in lower case. An upstream answers to its own name and to its configured hosts; port 80 and 443 may be left out or written.
   *
   * @throws Fault when the gateway cannot be asked.
   */
  find(authority: string): Promise<FoundHost>
}

const freshMs = 30_000
/** An unknown name asks the gateway again, but not more often than this. */
const unknownFreshMs = 1_000

/** Asks the gateway for the catalog when a name is first needed, and again when it has grown old; concurrent callers share one request. */
export function upstreamHosts(link: Pick<GatewayLink, 'catalog'>, clock: Pick<Clock, 'now'>): UpstreamHosts {
  let known: ReadonlyMap<string, Upstream> = new Map()
  let names: readonly string[] = []
  let askedMs = Number.NEGATIVE_INFINITY
  let asking: Promise<RefusedByGateway | undefined> | undefined

  const ask = async (): Promise<RefusedByGateway | undefined> => {
    const answered = await link.catalog()
    if (answered.kind === 'refused') return answered
    known = byHost(answered.catalog.upstreams)
    names = answered.catalog.upstreams.filter(({ protocol }) => protocol === 'http').flatMap(({ name, hosts }) => [name, ...hosts])
    askedMs = clock.now()
    return undefined
  }
  const refresh = (): Promise<RefusedByGateway | undefined> => (asking ??= ask().finally(() => (asking = undefined)))

  return {
    find: async (authority) => {
      const ageMs = clock.now() - askedMs
      const key = withoutDefaultPort(authority)
      if (ageMs > freshMs || (!known.has(key) && ageMs > unknownFreshMs)) {
        const problem = await refresh()
        if (problem) return problem
      }
      const upstream = known.get(key)
      return upstream ? { kind: 'found', upstream } : { kind: 'unknown', known: names }
    },
  }
}

/** Names come first: no upstream can take over another's name by listing it among its hosts. */
function byHost(upstreams: readonly Upstream[]): ReadonlyMap<string, Upstream> {
  const found = new Map<string, Upstream>()
  for (const upstream of upstreams) found.set(upstream.name, upstream)
  for (const upstream of upstreams) {
    for (const host of upstream.hosts.map(withoutDefaultPort)) if (!found.has(host)) found.set(host, upstream)
  }
  return found
}

export function withoutDefaultPort(authority: string): string {
  return authority.replace(/:(?:80|443)$/, '')
}
