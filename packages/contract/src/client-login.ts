/** Where programs of a person log in for the agent that they call through, as MCP has it. @see MCP 2026-07-28, Authorization */
export const oauthPaths = {
  /** RFC 8414 section 3. */
  serverMetadata: '/.well-known/oauth-authorization-server',
  /** RFC 9728 section 3.1: the path of the resource follows. */
  resourceMetadata: '/.well-known/oauth-protected-resource',
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  revoke: '/oauth/revoke',
} as const

const mcpPath = /^\/mcp(?:\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/

/** Whether this is where MCP is spoken: `/mcp`, or `/mcp/` and the name of an upstream. */
export function isMcpPath(path: string): boolean {
  return mcpPath.test(path)
}

/** The MCP path whose metadata are at this path, if any are. */
export function resourceOfMetadata(path: string): string | undefined {
  const resource = path.startsWith(oauthPaths.resourceMetadata) ? path.slice(oauthPaths.resourceMetadata.length) : ''
  return isMcpPath(resource) ? resource : undefined
}

/** With which method a path of the login is asked; undefined for every other path. */
export function oauthMethod(path: string): 'GET' | 'POST' | undefined {
  switch (path) {
    case oauthPaths.serverMetadata:
    case oauthPaths.authorize:
      return 'GET'
    case oauthPaths.token:
    case oauthPaths.revoke:
      return 'POST'
    default:
      return resourceOfMetadata(path) === undefined ? undefined : 'GET'
  }
}

const loopbackOrigin = /^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?::[1-9][0-9]{0,4})?$/

/** Whether a bridge can be reached there: what it says of itself in `reachedAtHeader` is believed in this form alone. */
export function isLoopbackOrigin(text: string): boolean {
  return loopbackOrigin.test(text)
}
