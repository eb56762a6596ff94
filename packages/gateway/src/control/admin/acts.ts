import {
  parseAgentName,
  parseTenantName,
  parseThumbprint,
  parseUpstreamName,
  refused,
  unreachable,
  type AgentName,
  type Refused,
  type TenantName,
} from '@sallyport/contract'
import { z } from 'zod'
import type { HeldCallsView, Ledger } from '../../ledger.ts'
import type { Approval } from '../../policy/approvals.ts'
import type { ToolDefinitionsView } from '../../tool-register.ts'
import type { Block } from '../authority/agent-store.ts'
import type { Authority } from '../authority/authority.ts'
import type { RotateCredential } from '../login/open-rotations.ts'
import type { PayloadRegister } from '../payloads/payload-register.ts'
import type { SecretRegister } from '../secrets/secret-register.ts'
import type { SecretScope } from '../secrets/secret-store.ts'
import type { Tickets } from '../tickets/tickets.ts'
import { offeredCredential } from './offered-credential.ts'
import { endSession, listSessions, loginOutcome, revokeIssuedBefore, showSession, startSession, type SessionPorts } from './session-acts.ts'
import { acceptTool, diffTool, listTools, type ToolLedger } from './tool-acts.ts'

/** The ledger as an operator uses it. */
export interface AdminLedger extends Pick<Ledger, 'note' | 'answerApproval'>, ToolLedger {
  approvals(): Promise<readonly Approval[]>
}

export interface AdminPorts {
  readonly authority: Authority
  readonly secrets: SecretRegister
  readonly ledger: AdminLedger
  readonly heldCalls: HeldCallsView
  readonly definitions: ToolDefinitionsView
  readonly payloads: PayloadRegister
  readonly sessions: SessionPorts | undefined
  readonly ticketKeys: Pick<Tickets, 'rotate' | 'recover'>
  readonly rotateCredential: RotateCredential
  /** Resolves when what was changed until now is in force on every thread. */
  readonly inForce: () => Promise<void>
  readonly status: () => Promise<object>
  /** `file`: the configuration that the operator means, if they named one. */
  readonly reload: (person: string, file: string | undefined) => Promise<object | Refused>
}

const tenant = z.string().transform((text, context) => parseTenantName(text) ?? (context.addIssue('not a tenant name'), z.NEVER))
const agent = z.string().transform((text, context) => parseAgentName(text) ?? (context.addIssue('not an agent name'), z.NEVER))
const upstream = z.string().transform((text, context) => parseUpstreamName(text) ?? (context.addIssue('not the name of an upstream'), z.NEVER))
const pinnedTool = { upstream, tool: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/), tenant: tenant.optional() }
const agentKey = { tenant, agent }
const person = z.string().min(1).max(128)
const scope = { tenant: tenant.optional() }
const secretName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
const secretInput = z.strictObject({ ...scope, name: secretName, value: z.string(), person })
const sessionId = z.string().min(1).max(64)
const fingerprint = z.string().transform((text, context) => parseThumbprint(text) ?? (context.addIssue('not a fingerprint'), z.NEVER))

const erasing = { person, reason: z.string().max(1000).optional(), isTrial: z.boolean() }

/** An agent without its tenant would otherwise read as everything. */
const blockInput = z
  .strictObject({ tenant: tenant.optional(), agent: agent.optional(), person })
  .refine(({ tenant: of, agent: name }) => of !== undefined || name === undefined, 'an agent needs its tenant')

interface Act {
  (ports: AdminPorts, input: unknown): Promise<object>
}

function act<Input>(schema: z.ZodType<Input>, perform: (ports: AdminPorts, input: Input) => Promise<object>): Act {
  return async (ports, given) => {
    const input = schema.safeParse(given)
    return input.success ? perform(ports, input.data) : refused('control.invalid-input', undefined, { detail: z.prettifyError(input.error) })
  }
}

function scopeOf({ tenant: owner }: { readonly tenant?: TenantName | undefined }): SecretScope {
  return owner === undefined ? { kind: 'shared' } : { kind: 'tenant', tenant: owner }
}

/** Everything an operator can do over the admin socket, by name. Each change is in the log before its answer. */
export const acts: Readonly<Record<string, Act | undefined>> = {
  status: act(z.strictObject({}), async ({ status, authority }) => ({ ...(await status()), blocks: authority.agents.blocks })),
  'backup.note': act(
    z.strictObject({ act: z.enum(['backup.made', 'backup.failed']), person, file: z.string().min(1).max(4096), sealed: z.boolean() }),
    async ({ ledger }, input) => ({
      kind: 'noted',
      index: await ledger.note({ type: 'admin', act: input.act, person: input.person, subject: { file: input.file, sealed: input.sealed } }),
    }),
  ),
  reload: act(z.strictObject({ person, file: z.string().max(4096).optional() }), async ({ reload }, input) => reload(input.person, input.file)),

  'agent.add': act(z.strictObject({ ...agentKey, person }), async ({ authority }, { person: by, ...key }) => {
    const registered = await authority.agents.register(key, by)
    if (registered.kind === 'refused' && registered.problem.code !== 'control.conflict') return registered
    return authority.agents.createToken(key, by)
  }),
  'agent.list': act(z.strictObject({}), async ({ authority }) => ({ agents: await authority.agents.list() })),
  'agent.show': act(z.strictObject(agentKey), async ({ authority }, key) => authority.agents.describe(key)),
  'agent.revoke-certificate': act(
    z.strictObject({ ...agentKey, certificate: fingerprint, person }),
    async ({ authority }, { person: by, certificate, ...key }) => authority.agents.revokeCertificate(key, certificate, by),
  ),
  'agent.revoke': act(z.strictObject({ ...agentKey, person }), async ({ authority }, { person: by, ...key }) => authority.agents.revoke(key, by)),
  'agent.reinstate': act(z.strictObject({ ...agentKey, person }), async ({ authority }, { person: by, ...key }) => authority.agents.reinstate(key, by)),

  'ca.list': act(z.strictObject({}), async ({ authority }) => ({ roots: authority.roots })),
  'ca.rotate': act(z.strictObject({ person }), async ({ authority }, input) => authority.rotateRoot(input.person)),
  'ca.retire': act(
    z.strictObject({
      fingerprint,
      person,
      evenIfNeeded: z.boolean(),
    }),
    async ({ authority }, input) => authority.retireRoot(input.fingerprint, input.person, input.evenIfNeeded),
  ),
  'ca.recover': act(z.strictObject({ person }), async ({ authority }, input) => authority.recover(input.person)),

  'secret.set': act(secretInput, async ({ secrets }, input) => secrets.keep('set', scopeOf(input), input.name, input.value, input.person)),
  'secret.rotate': act(secretInput, async ({ secrets }, input) => secrets.keep('rotate', scopeOf(input), input.name, input.value, input.person)),
  'secret.list': act(z.strictObject({}), async ({ secrets }) => ({ secrets: await secrets.list() })),
  'secret.remove': act(z.strictObject({ ...scope, name: secretName, person }), async ({ secrets }, input) =>
    secrets.remove(scopeOf(input), input.name, input.person),
  ),

  'session.start': act(
    z.strictObject({
      ...agentKey,
      provider: z.string().max(63).optional(),
      expected: z.string().min(1).max(256).optional(),
      device: z.boolean().default(false),
      person,
    }),
    async ({ sessions }, input) => startSession(sessions, input),
  ),
  'session.outcome': act(z.strictObject({ id: z.string().max(64) }), async ({ sessions }, { id }) => loginOutcome(sessions, id)),
  'session.list': act(
    z.strictObject({ tenant: tenant.optional(), agent: agent.optional(), all: z.boolean().default(false) }),
    async ({ sessions }, { all, ...owner }) =>
      listSessions(sessions, {
        ...(owner.tenant !== undefined && { tenant: owner.tenant }),
        ...(owner.agent !== undefined && { agent: owner.agent }),
        isLive: !all,
      }),
  ),
  'session.show': act(z.strictObject({ session: sessionId }), async ({ sessions }, { session }) => showSession(sessions, session)),
  'session.revoke': act(z.strictObject({ session: sessionId, person }), async ({ sessions }, input) =>
    endSession(sessions, 'revoke', input.session, input.person),
  ),
  'session.quarantine': act(z.strictObject({ session: sessionId, person }), async ({ sessions }, input) =>
    endSession(sessions, 'quarantine', input.session, input.person),
  ),
  'session.revoke-issued-before': act(z.strictObject({ before: z.int().min(0), person }), async ({ sessions }, input) =>
    revokeIssuedBefore(sessions, input.before, input.person),
  ),
  'ticket-keys.rotate': act(z.strictObject({ person }), async ({ ticketKeys }, input) => ticketKeys.rotate(input.person)),
  'ticket-keys.recover': act(z.strictObject({ person }), async ({ ticketKeys }, input) => ticketKeys.recover(input.person)),

  'identity-provider.rotate': act(
    z.strictObject({ provider: z.string().max(63), offered: offeredCredential.optional(), person }),
    async ({ rotateCredential }, { provider, offered, person: by }) => rotateCredential(provider, offered, by),
  ),

  approvals: act(z.strictObject({ all: z.boolean().optional() }), async ({ ledger, heldCalls }, { all = false }) => ({
    approvals: await Promise.all(
      (await ledger.approvals())
        .filter(({ state }) => all || state.kind === 'pending')
        .map(async (approval) => {
          const held = await heldCalls.find(approval.id)
          return { ...approval, call: held?.exact ?? null, rules: held?.rules ?? [] }
        }),
    ),
  })),
  'approvals.answer': act(
    z.strictObject({ id: z.string().max(128), answer: z.enum(['approved', 'denied']), person, note: z.string().max(1000).optional() }),
    async ({ ledger, heldCalls }, { id, answer, person: by, note }) => {
      const isKnown = (await ledger.approvals()).some((approval) => approval.id === id)
      if (!isKnown) return refused('control.not-found', undefined, { detail: `There is no approval ${id}: "sallyport approvals" lists what waits.` })
      if (answer === 'approved' && !(await heldCalls.find(id))) {
        return refused('control.not-found', undefined, {
          detail: 'The arguments of this call are not known here, so nobody can approve it: let the agent call again.',
        })
      }
      const result = await ledger.answerApproval(id, answer, by, note)
      switch (result.kind) {
        case 'answered':
          return { kind: answer, approval: id }
        case 'unknown':
          return refused('control.not-found', undefined, { detail: 'No held call has this id.' })
        case 'expired':
          return refused('control.conflict', undefined, { detail: 'It has expired: let the agent call again.' })
        case 'own-request':
          return refused('control.conflict', undefined, { detail: 'Nobody approves what they asked for themselves.' })
        case 'already-answered':
          return refused('control.conflict', undefined, { detail: `It was ${result.answer} by ${result.person}.` })
        default:
          return unreachable(result)
      }
    },
  ),

  'tools.list': act(z.strictObject({ upstream: upstream.optional() }), async ({ ledger }, input) => listTools(ledger, input.upstream)),
  'tools.diff': act(z.strictObject(pinnedTool), async ({ ledger, definitions }, input) => diffTool(ledger, definitions, input)),
  'tools.accept': act(z.strictObject({ ...pinnedTool, digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/), person }), async ({ ledger }, input) =>
    acceptTool(ledger, input),
  ),

  'payload.read': act(z.strictObject({ entry: z.int().min(0), person }), async ({ payloads }, input) => payloads.read(input.entry, input.person)),
  'payload.erase': act(z.strictObject({ entry: z.int().min(0), ...erasing }), async ({ payloads }, { entry, person: by, ...how }) =>
    payloads.erase(entry, by, how),
  ),
  'payload.erase-many': act(
    z
      .strictObject({ tenant: tenant.optional(), agent: agent.optional(), before: z.int().min(0), ...erasing })
      .refine(({ tenant: of, agent: name }) => of !== undefined || name === undefined, 'an agent needs its tenant'),
    async ({ payloads }, { tenant: of, agent: name, before, person: by, ...how }) =>
      payloads.eraseMany({ kind: 'many', tenant: of, agent: name, before }, by, how),
  ),

  block: act(blockInput, async ({ authority }, input) => {
    const known = await authority.agents.list()
    await authority.agents.block(blockOf(input), input.person)
    // Also what is not registered: an emergency is no time for questions. But a slip of the pen must show.
    const isKnown = known.some((one) => (input.tenant ?? one.tenant) === one.tenant && (input.agent ?? one.agent) === one.agent)
    return { kind: 'blocked', isKnown }
  }),
  unblock: act(blockInput, async ({ authority }, input) => authority.agents.lift(blockOf(input), input.person)),
}

function blockOf({ tenant: blockedTenant, agent: blockedAgent }: { readonly tenant?: TenantName | undefined; readonly agent?: AgentName | undefined }): Block {
  if (blockedTenant === undefined) return { scope: 'all' }
  return blockedAgent === undefined ? { scope: 'tenant', tenant: blockedTenant } : { scope: 'agent', tenant: blockedTenant, agent: blockedAgent }
}
