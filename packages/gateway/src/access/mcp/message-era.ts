import { refused } from '@sallyport/contract'
import { headerValue, type Inbound } from '../../edge/inbound.ts'
import type { JsonRpcMessage, JsonRpcResponse, McpEra } from '../access-request.ts'
import { headerDisagreement } from './header-agreement.ts'
import { isJsonObject, paramsOf } from './json-rpc.ts'
import { claimedRevision, eraOf, metaKeys, metaOf, modernRevision, supportedRevisions } from './revision.ts'
import { malformed, rpcFlaws, unsupportedRevisionCode, type Flawed } from './rpc-refusal.ts'

/** The body says which revision a request speaks; the header must agree. */
export function eraOfMessage({ headers }: Inbound, message: Exclude<JsonRpcMessage, JsonRpcResponse>): McpEra | Flawed {
  const header = headerValue(headers, 'mcp-protocol-version')
  const claim = claimedRevision(paramsOf(message))
  if (claim && !claim.revision) return malformed('the revision in _meta is a string')
  if (claim && header !== undefined && header !== claim.revision) return malformed(versionsDiffer, rpcFlaws.headerMismatch)
  const revision = claim ? claim.revision : header
  if (revision === undefined) return 'legacy'
  const era = eraOf(revision)
  // Only the newer revision is named in the body; the older ones are agreed on in a handshake.
  if (era === undefined || (era === 'legacy' && claim)) return unsupported(revision, claim ? [modernRevision] : supportedRevisions)
  if (era === 'legacy') return era
  if (!claim && message.kind === 'request') return malformed('a request of this revision names it in _meta')
  if (message.kind === 'request' && !isJsonObject(metaOf(paramsOf(message))[metaKeys.clientCapabilities])) return malformed(capabilitiesMissing)
  const disagreement = headerDisagreement(headers, message, revision)
  return disagreement === undefined ? era : malformed(disagreement, rpcFlaws.headerMismatch)
}

const capabilitiesMissing = 'a request of this revision says in _meta what its client can do'
const versionsDiffer = 'MCP-Protocol-Version must be the revision that the body names'

export function legacyOnly({ headers }: Inbound): McpEra | Flawed {
  const header = headerValue(headers, 'mcp-protocol-version')
  return header === undefined || eraOf(header) === 'legacy' ? 'legacy' : malformed('this revision has no responses from the client')
}

function unsupported(requested: string, supported: readonly string[]): Flawed {
  const refusal = refused('access.unsupported-version', undefined, { detail: `Supported: ${supported.join(', ')}.` })
  return { ...refusal, flaw: { code: unsupportedRevisionCode, data: { supported, requested: requested.slice(0, requestedLengthMax) } } }
}

/** Longest name of a revision that is told back. */
const requestedLengthMax = 64

/** The newer revision wants 404; in the older one that says that the session is over. */
export function unknownMethod(method: string, era: McpEra): Flawed {
  const reason = `the method ${method} is not part of this revision`
  if (era === 'legacy') return malformed(reason, rpcFlaws.methodNotFound)
  return { ...refused('access.unknown-method', reason, { detail: `The MCP message is refused: ${reason}.` }), flaw: rpcFlaws.methodNotFound }
}
