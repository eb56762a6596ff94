import { refused, type Refused, type SpiffeId } from '@sallyport/contract'
import type { AgentKey } from '../authority/agent-store.ts'
import type { OpenedLogins } from '../login/open-logins.ts'
import type { Provider } from '../login/provider.ts'
import type { Providers } from '../login/providers.ts'
import type { SessionRegister } from '../sessions/session-register.ts'
import type { SessionSummary } from '../sessions/session-store.ts'

/** What operators do about sessions; undefined where the configuration has none. */
export interface SessionPorts {
  readonly register: SessionRegister
  readonly logins: OpenedLogins | undefined
  readonly providers: Providers
  /** The agent's SPIFFE id, if it is registered and may work. */
  readonly agentId: (agent: AgentKey) => Promise<SpiffeId | undefined>
}

const noSessions = refused('control.conflict', undefined, {
  detail: 'This gateway has no sessions: add "sessions" with an identity provider to its configuration, and start it again.',
})

const noLogins = refused('control.conflict', undefined, {
  detail: 'Nobody can log in here: "sessions" has no identity provider, or had none at the last start, or "sessions.listen" is off.',
})

export interface StartInput extends AgentKey {
  readonly provider?: string | undefined
  readonly expected?: string | undefined
  readonly device: boolean
  readonly person: string
}

/** Begins a login for an agent: a link for a browser, or a code for a device. */
export async function startSession(ports: SessionPorts | undefined, { tenant, agent, provider: name, expected, device, person }: StartInput): Promise<object> {
  if (!ports) return noSessions
  if (!ports.logins) return noLogins
  const id = await ports.agentId({ tenant, agent })
  if (id === undefined)
    return refused('control.not-found', undefined, { detail: `There is no agent ${tenant}/${agent} that may work: "sallyport agent list" shows them.` })
  const provider = chooseProvider(ports.providers.forTenant(tenant), name)
  if ('problem' in provider) return provider
  const request = { owner: { id, tenant, agent }, provider, person, expected }
  return device ? ports.logins.devices.start(request) : ports.logins.logins.start(request)
}

export function loginOutcome(ports: SessionPorts | undefined, id: string): object {
  if (!ports?.logins) return noSessions
  return ports.logins.devices.outcome(id) ?? ports.logins.logins.outcome(id)
}

export async function listSessions(ports: SessionPorts | undefined, filter: Parameters<SessionRegister['list']>[0]): Promise<object> {
  return { sessions: ports ? (await ports.register.list(filter)).map(shown) : [] }
}

export async function showSession(ports: SessionPorts | undefined, session: string): Promise<object> {
  const found = (await ports?.register.describe(session)) ?? noSessions
  return 'problem' in found ? found : shown(found)
}

export async function endSession(ports: SessionPorts | undefined, act: 'revoke' | 'quarantine', session: string, person: string): Promise<object> {
  return (await ports?.register[act](session, person)) ?? noSessions
}

export async function revokeIssuedBefore(ports: SessionPorts | undefined, before: number, person: string): Promise<object> {
  if (!ports) return noSessions
  const ended = await ports.register.revokeIssuedBefore(before, person)
  return { kind: 'ended', sessions: ended.map(({ id }) => id) }
}

function chooseProvider(offered: readonly Provider[], name: string | undefined): Provider | Refused {
  const [first, ...others] = name === undefined ? offered : offered.filter(({ definition }) => definition.name === name)
  if (first && others.length === 0) return first
  const names = offered.map(({ definition }) => definition.name).join(', ')
  const detail = first
    ? `Say which identity provider: ${names}.`
    : `There is no such identity provider for this tenant${names === '' ? '' : `: it has ${names}`}.`
  return refused('control.invalid-input', detail, { detail })
}

function shown({ id, owner: { tenant, agent }, ...session }: SessionSummary): object {
  return { id, tenant, agent, ...session }
}
