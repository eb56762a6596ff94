import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import type { AgentKey } from '../control/authority/agent-store.ts'
import { dataFolder } from '../control/data-folder.ts'
import { askGateway } from './admin-client.ts'
import { moment } from './moment.ts'
import { agentName, exitCodes, type Acting, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { tellSession, tellSessions, tellStarted } from './tell-sessions.ts'

/** Between two looks at a login that is waited for. */
const lookMs = 1000

interface StartOptions extends Acting {
  readonly provider?: string
  readonly expect?: string
  readonly device?: boolean
  readonly wait?: boolean
}

/** `session`: people behind agents; and the keys of tickets. */
export function addSessionCommands(root: Command, console: OperatorConsole, terminal: Pick<Terminal, 'stop'>): void {
  const { common, as, person, ask, fail } = console
  const session = root.command('session').description('people that log in for agents, and what their agents hold')
  as(session.command('start').description('ask a person to log in for an agent').argument('<tenant/agent>', 'such as acme/invoice-bot', agentName))
    .option('--provider <name>', 'the identity provider, where the configuration has several')
    .option('--expect <account>', 'only this subject or e-mail address may log in')
    .option('--device', 'the person types a code at the provider; their browser need not reach this gateway')
    .option('--wait', 'wait until the person has logged in')
    .action((agent: AgentKey, options: StartOptions) => start(console, terminal, agent, options))
  common(session.command('list').description('the sessions that are not over'))
    .option('--tenant <tenant>', 'of this tenant')
    .option('--agent <tenant/agent>', 'of this agent', agentName)
    .option('--all', 'also those that are over')
    .action((options: Common & { readonly tenant?: string; readonly agent?: AgentKey; readonly all?: boolean }) =>
      ask(
        options,
        'session.list',
        { ...(options.tenant !== undefined && { tenant: options.tenant }), ...options.agent, all: options.all === true },
        tellSessions,
      ),
    )
  common(session.command('show').description('one session').argument('<session>', 'as "session list" names it')).action((id: string, options: Common) =>
    ask(options, 'session.show', { session: id }, tellSession),
  )
  as(
    session
      .command('revoke')
      .description('end a session at once, with its tickets; its token goes back to the provider')
      .argument('[session]', 'as "session list" names it'),
  )
    .option('--issued-before <time>', 'every session that was opened before: 2026-11-01 or 2026-11-01T08:00:00Z', moment('begins'))
    .action((id: string | undefined, options: Acting & { readonly issuedBefore?: number }) => {
      const { issuedBefore } = options
      if ((id === undefined) === (issuedBefore === undefined)) return fail(options, 'name a session, or give --issued-before', exitCodes.usage)
      return issuedBefore === undefined
        ? ask(options, 'session.revoke', { session: id, person: person(options) }, () => `revoked ${id ?? ''}`)
        : ask(options, 'session.revoke-issued-before', { before: issuedBefore, person: person(options) }, (value) => `revoked ${countOf(value)} sessions`)
    })
  const keys = root.command('ticket-key').description('the keys that sign tickets')
  as(keys.command('rotate').description('sign with the next key; tickets under the one before live to their end')).action((options: Acting) =>
    ask(options, 'ticket-keys.rotate', { person: person(options) }, () => 'rotated: new tickets are signed with another key'),
  )
}

async function start(
  { ask, tell, folderOf, person, fail }: OperatorConsole,
  { stop }: Pick<Terminal, 'stop'>,
  agent: AgentKey,
  options: StartOptions,
): Promise<void> {
  const { provider, expect, device = false } = options
  const name = `${agent.tenant}/${agent.agent}`
  const input = { ...agent, device, person: person(options), ...(provider !== undefined && { provider }), ...(expect !== undefined && { expected: expect }) }
  if (options.wait !== true) return ask(options, 'session.start', input, tellStarted(name))
  const socket = dataFolder(folderOf(options)).adminSocket
  const started = await askGateway(socket, 'session.start', input)
  tell(options, started, tellStarted(name))
  if (started.kind !== 'done' || typeof started.value !== 'object' || started.value === null || !('id' in started.value)) return
  for (;;) {
    await wait(lookMs, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) return fail(options, 'no longer waiting; the login goes on')
    const outcome = await askGateway(socket, 'session.outcome', { id: started.value.id })
    const isWaiting =
      outcome.kind === 'done' && typeof outcome.value === 'object' && outcome.value !== null && 'kind' in outcome.value && outcome.value.kind === 'waiting'
    if (!isWaiting) return tell(options, outcome, () => `logged in; now, on the agent's host: sallyport agent session claim`)
  }
}

function countOf(value: unknown): number {
  return typeof value === 'object' && value !== null && 'sessions' in value && Array.isArray(value.sessions) ? value.sessions.length : 0
}
