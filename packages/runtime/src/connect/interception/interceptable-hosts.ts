import type { Upstream } from '../upstream-hosts.ts'

const domainName = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The hosts that a program can ask for by `https://` at its usual port: those that the configuration of the gateway lists for an upstream. Not the names of upstreams,
 * nor other names without a dot: an authority for `com` could speak for half the world.
 */
export function interceptableHosts(upstreams: readonly Upstream[]): readonly string[] {
  const hosts = upstreams.flatMap(({ hosts: listed }) => listed.map((host) => host.replace(/:443$/, '')))
  return [...new Set(hosts.filter((host) => domainName.test(host)))].toSorted()
}
