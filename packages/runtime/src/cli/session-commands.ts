import type { Command } from 'commander'
import type { Send } from '../link/ask-gateway.ts'
import { claimSession, endSession } from '../session/session-calls.ts'
import { heldSession, sessionInFolder, type HeldSession } from '../session/session-files.ts'
import { folderOf, openPlainLink, refusal, requireIdentity } from './agent-commands.ts'
import type { AgentSideIo } from './agent-side-io.ts'
import { runCommand, type Said } from './run-command.ts'
import { hintFor } from './session-trouble.ts'

interface SessionOptions {
  readonly identity?: string
  readonly json?: true
}

/** `agent session claim`, `status` and `end`: the agent's side. What operators do with sessions is `session ...`. */
export function addSessionCommands(agent: Command, io: AgentSideIo): void {
  const parent = agent.command('session').description("this agent's session of a person: take it up, look at it, end it")
  const add = (name: string, description: string, run: (io: AgentSideIo, directory: string) => Promise<Said>): void => {
    parent
      .command(name)
      .description(description)
      .option('--identity <dir>', "the agent's identity (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)")
      .option('--json', 'print JSON')
      .action((options: SessionOptions) =>
        runCommand(io, options.json === true, async () => {
          const directory = folderOf(io, options)
          await requireIdentity(directory)
          return run(io, directory)
        }),
      )
  }
  add('claim', 'take up the session that a person has opened for this agent with "sallyport session start"', runClaim)
  add('status', 'say which session is held here and until when', runStatus)
  add('end', 'end the session that is held here, at the gateway and here', runEnd)
}

async function runClaim(io: AgentSideIo, directory: string): Promise<Said> {
  const store = sessionInFolder(directory)
  const held = await overLink(io, directory, (send) =>
    store.underLock(async (assertHeld) => {
      const askedAtMs = io.now()
      const answered = await claimSession(send)
      if (answered.kind === 'refused') throw refusal(answered.problem, hintFor(answered.problem))
      const claimed = heldSession(answered.grant, askedAtMs)
      assertHeld()
      await store.keep(claimed)
      return claimed
    }),
  )
  const { text, json } = describe(held)
  return { text: `Claimed session ${text}\n"sallyport connect" keeps its ticket fresh.`, json }
}

async function runStatus(io: AgentSideIo, directory: string): Promise<Said> {
  const held = await sessionInFolder(directory).load()
  if (!held) return { text: 'no session is held here: "sallyport agent session claim" takes one up', json: { session: null } }
  const { text, json } = describe(held)
  const isLive = io.now() < held.ticketEndsAtMs
  return { text: `session ${text}${isLive ? '' : ' (ended: the next call refreshes it)'}`, json: { ...json, ticketIsLive: isLive } }
}

async function runEnd(io: AgentSideIo, directory: string): Promise<Said> {
  const store = sessionInFolder(directory)
  return overLink(io, directory, (send) =>
    store.underLock(async () => {
      const held = await store.load()
      if (!held) return { text: 'no session is held here', json: { session: null } }
      const answered = await endSession(send, held.handle)
      // One that does not count any more is over as well.
      if (answered.kind === 'refused' && answered.problem.code !== 'session.invalid') throw refusal(answered.problem)
      await store.remove()
      return { text: `ended session ${held.session}`, json: { session: held.session, ended: true } }
    }),
  )
}

async function overLink<Value>(io: AgentSideIo, directory: string, act: (send: Send) => Promise<Value>): Promise<Value> {
  const link = await openPlainLink(io, directory)
  try {
    return await act(link.request)
  } finally {
    await link.close()
  }
}

function describe({ session, ticketEndsAtMs, sessionEndsAt }: HeldSession): { readonly text: string; readonly json: Readonly<Record<string, string>> } {
  const ticketEndsAt = new Date(ticketEndsAtMs).toISOString()
  return { text: `${session}\nuntil ${sessionEndsAt}; ticket until ${ticketEndsAt}`, json: { session, sessionEndsAt, ticketEndsAt } }
}
