import {
  isLoopbackOrigin,
  isMcpPath,
  oauthMethod,
  oauthPaths,
  parseUpstreamName,
  reachedAtHeader,
  refused,
  resourceOfMetadata,
  type Refused,
} from '@sallyport/contract'
import { headerValue, type Inbound } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import { ownUpstream, type AccessRequest, type ClientLoginQuestion } from '../access-request.ts'
import type { AccessSnapshot } from '../access-snapshot.ts'
import { malformed, readForm, readParameters, type Form } from './read-form.ts'

/** A code or a handle, and the words around them. */
export const tokenFormBytesMax = 8192

type Access = Pick<AccessSnapshot, 'upstreams' | 'clients'>

/**
 * What a program asks that comes through a bridge and wants its person to log in for the agent. Whose agent, the certificate says, as always.
 *
 * Refuses `access.unknown-target` where there are no such logins, `access.unknown-upstream` for a resource that is not served, `access.method-not-allowed`,
 * `access.unsupported-media`, `access.too-large`, `access.malformed` and `access.unknown-method` for another grant.
 */
export async function understandClientLogin({ upstreams, clients }: Access, principal: Principal, inbound: Inbound): Promise<AccessRequest | Refused> {
  const upstream = parseUpstreamName(ownUpstream)
  const scopes = clients?.scopesFor(principal.tenant)
  const origin = headerValue(inbound.headers, reachedAtHeader)
  if (!upstream || !scopes) return refused('access.unknown-target', 'programs cannot let anybody log in for agents of this tenant')
  if (origin === undefined || !isLoopbackOrigin(origin))
    return refused('access.unknown-target', 'not through a bridge', { detail: 'Programs log in through "sallyport connect".' })
  const method = oauthMethod(inbound.path)
  if (inbound.method !== method) return refused('access.method-not-allowed', undefined, { detail: `Use ${method}.` })
  const isServed = (path: string): boolean => {
    const name = parseUpstreamName(path.split('/')[2] ?? '')
    return isMcpPath(path) && (path === '/mcp' || (name !== undefined && upstreams.get(name)?.protocol === 'mcp'))
  }
  const asked = await readQuestion(inbound, { origin, scopes, isServed })
  if (asked.kind === 'refused') return asked
  return {
    id: inbound.id,
    principal,
    upstream,
    action: `oauth.${asked.kind}`,
    resource: resourceIn(asked) ?? inbound.path,
    args: undefined,
    context: { protocol: 'gateway', method: inbound.method, remoteAddress: inbound.connection.remoteAddress },
    standing: 'own',
    call: { kind: 'client-login', origin, asked, caller: { connection: inbound.connection, signal: inbound.signal } },
  }
}

interface Place {
  readonly origin: string
  readonly scopes: readonly string[]
  readonly isServed: (path: string) => boolean
}

async function readQuestion(inbound: Inbound, { origin, scopes, isServed }: Place): Promise<ClientLoginQuestion | Refused> {
  const { path, query } = inbound
  const pathOf = (resource: string | undefined): string | undefined => {
    const found = resource?.startsWith(origin) === true ? resource.slice(origin.length) : ''
    return isServed(found) ? found : undefined
  }
  if (path === oauthPaths.authorize) {
    const parameters = readParameters(query)
    if ('problem' in parameters) return parameters
    return { kind: 'authorize', scopes, resource: pathOf(parameters.get('resource')), parameters: Object.fromEntries(parameters) }
  }
  if (query !== '') return refused('access.unknown-target')
  if (path === oauthPaths.serverMetadata) return { kind: 'server-metadata', scopes }
  const described = resourceOfMetadata(path)
  if (described !== undefined) return isServed(described) ? { kind: 'resource-metadata', scopes, resource: described } : refused('access.unknown-upstream')
  const form = await readForm(inbound, tokenFormBytesMax)
  if ('problem' in form) return form
  return path === oauthPaths.revoke ? readRevocation(form) : readTokenRequest(form, pathOf)
}

function readTokenRequest(form: Form, pathOf: (resource: string | undefined) => string | undefined): ClientLoginQuestion | Refused {
  const [grant, client] = [form.get('grant_type'), form.get('client_id')]
  const resource = pathOf(form.get('resource'))
  if (form.has('resource') && resource === undefined) return refused('access.unknown-upstream', 'a resource that is not served here')
  if (client === undefined) return malformed('client_id is missing')
  // Programs have no credential here: the certificate of the agent is what counts.
  if (form.has('client_secret') || form.has('client_assertion')) return malformed('a client proves itself by nothing but the certificate of the agent')
  switch (grant) {
    case 'authorization_code': {
      const [code, redirectUri, verifier] = [form.get('code'), form.get('redirect_uri'), form.get('code_verifier')]
      if (code === undefined || redirectUri === undefined || verifier === undefined)
        return malformed('code, redirect_uri and code_verifier belong to this grant')
      return { kind: 'code', client, resource, code, redirectUri, verifier }
    }
    case 'refresh_token': {
      const handle = form.get('refresh_token')
      return handle === undefined ? malformed('refresh_token is missing') : { kind: 'refresh', client, resource, handle }
    }
    default:
      return refused('access.unknown-method', 'another grant', { detail: 'grant_type is authorization_code or refresh_token.' })
  }
}

function readRevocation(form: Form): ClientLoginQuestion | Refused {
  const [client, handle] = [form.get('client_id'), form.get('token')]
  return client === undefined || handle === undefined ? malformed('token and client_id belong to this') : { kind: 'revoke', client, handle }
}

/** For the log: the program, or what is described. */
function resourceIn(asked: ClientLoginQuestion): string | undefined {
  switch (asked.kind) {
    case 'server-metadata':
      return undefined
    case 'resource-metadata':
      return asked.resource
    case 'authorize':
      return asked.parameters['client_id']
    default:
      return asked.client
  }
}
