/** What a client's configuration says about one MCP server. */
export type ServerEntry = { readonly [member: string]: string | readonly string[] | { readonly [name: string]: string } }

/** How a client reaches the gateway: by starting a bridge of its own, or through one that runs. */
export type Reach =
  | { readonly kind: 'stdio'; readonly command: string; readonly args: readonly string[] }
  /** The bridge's client secret is named, never written: the client reads it from its environment. */
  | { readonly kind: 'http'; readonly url: string }

/** The environment variable in which a client that uses HTTP finds the bridge's client secret. */
export const secretVariable = 'SALLYPORT_CONNECT_SECRET'
