import { parseUpstreamName, type UpstreamName } from '@sallyport/contract'

/**
 * Names at the aggregated endpoint. Upstream names have neither underscores nor plus signs, so the first separator is the only one that counts and two
 * upstreams never share a name.
 */
const toolSeparator = '__'
const uriPrefix = 'mcp+'

export interface Named {
  readonly upstream: UpstreamName
  readonly name: string
}

/** For tools and prompts: `crm__get_invoice`. */
export function joinName(upstream: UpstreamName, name: string): string {
  return `${upstream}${toolSeparator}${name}`
}

export function splitName(text: string): Named | undefined {
  return split(text, toolSeparator)
}

/** For resources and their templates: `mcp+crm+file:///notes.txt`, itself a URI. */
export function joinUri(upstream: UpstreamName, uri: string): string {
  return `${uriPrefix}${upstream}+${uri}`
}

export function splitUri(text: string): Named | undefined {
  return text.startsWith(uriPrefix) ? split(text.slice(uriPrefix.length), '+') : undefined
}

function split(text: string, separator: string): Named | undefined {
  const at = text.indexOf(separator)
  const upstream = at < 0 ? undefined : parseUpstreamName(text.slice(0, at))
  const name = text.slice(at + separator.length)
  return upstream && name !== '' ? { upstream, name } : undefined
}
