import type { HeaderPairs } from '../link/header-pairs.ts'

/** Lets a page of an origin that was allowed by hand read the answer. @see Fetch standard, CORS protocol */
export function crossOriginHeaders(origin: string | undefined): HeaderPairs {
  if (origin === undefined) return []
  return [
    ['access-control-allow-origin', origin],
    ['access-control-expose-headers', 'mcp-session-id, mcp-protocol-version, retry-after, www-authenticate'],
    ['vary', 'origin'],
  ]
}

export function preflightHeaders(origin: string | undefined, requestedHeaders: string | undefined): HeaderPairs {
  return [
    ...crossOriginHeaders(origin),
    ['access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
    ['access-control-allow-headers', requestedHeaders ?? 'authorization, content-type'],
    ['access-control-max-age', '600'],
  ]
}
