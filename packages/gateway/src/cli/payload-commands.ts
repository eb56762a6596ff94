import { InvalidArgumentError, type Command } from 'commander'
import { parseTenantName } from '@sallyport/contract'
import { z } from 'zod'
import type { AgentKey } from '../control/authority/agent-store.ts'
import { dataFolder } from '../control/data-folder.ts'
import { askGateway, type AdminAnswer } from './admin-client.ts'
import { moment } from './moment.ts'
import { agentName, exitCodes, wholeNumber, type Acting, type OperatorConsole } from './operator-console.ts'
import { indexMax } from './search-commands.ts'
import { shownJson } from './show.ts'
import { telling } from './tell-answers.ts'

type Erasing = Acting & {
  readonly agent?: AgentKey
  readonly tenant?: string
  readonly before?: number
  readonly reason?: string
  readonly yes?: boolean
}

const entryIndex = wholeNumber(0, indexMax)

const read = z.object({ entry: z.number(), time: z.string(), request: z.string(), tenant: z.string(), agent: z.string(), payload: z.json() })
const answered = z.object({ erased: z.number(), left: z.number() })

/** `log payload` and `log erase`: what was kept of the arguments of calls. Both need the running gateway, which has the keys. */
export function addPayloadCommands(log: Command, console: OperatorConsole): void {
  const { as, ask, fail, folderOf, isFull, person, print, tell } = console
  as(log.command('payload').description('what was kept of the arguments of a call; that you read it is logged'))
    .argument('<entry>', 'the number of its decision in the log', entryIndex)
    .option('--full', 'long texts and lists whole, also on a terminal')
    .action(async (entry: number, options: Acting & { readonly full?: boolean }) => {
      const said = telling(
        read,
        ({ time, request, tenant, agent, payload }) => `${time}  ${tenant}/${agent}  ${request}\n${shownJson(payload, { isFull: isFull(options) })}`,
      )
      await ask(options, 'payload.read', { entry, person: person(options) }, said)
    })

  as(log.command('erase').description('destroy what was kept of the arguments of one call, or of many; the log still verifies, and says so'))
    .argument('[entry]', 'the number of its decision in the log', entryIndex)
    .option('--agent <agent>', 'everything of this agent, TENANT/AGENT', agentName)
    .option('--tenant <tenant>', 'everything of this tenant', tenantName)
    .option('--before <time>', 'only what is older: a day, a time such as 2026-11-25T14:00Z, or 30m, 2h, 7d ago', moment('begins'))
    .option('--reason <text>', 'why, for the log')
    .option('--yes', 'do it; without, only what would be erased is counted')
    .action(async (entry: number | undefined, options: Erasing) => {
      const { agent, tenant, before, reason, yes } = options
      const isMany = agent !== undefined || tenant !== undefined || before !== undefined
      if ((entry !== undefined) === isMany || (agent !== undefined && tenant !== undefined))
        return fail(options, 'name one entry, or everything of an --agent, of a --tenant or --before a time', exitCodes.usage)
      const how = { person: person(options), isTrial: yes !== true, ...(reason !== undefined && { reason }) }
      const socket = dataFolder(folderOf(options)).adminSocket
      const act = (): Promise<AdminAnswer> =>
        entry === undefined
          ? askGateway(socket, 'payload.erase-many', { ...(agent ?? (tenant !== undefined && { tenant })), before: before ?? started, ...how })
          : askGateway(socket, 'payload.erase', { entry, ...how })
      const started = Date.now()
      for (let erased = 0; ;) {
        const answer = await act()
        const counted = answer.kind === 'done' ? answered.safeParse(answer.value) : undefined
        if (!counted?.success) return tell(options, answer)
        const { left } = counted.data
        if (yes !== true && left > 0) {
          const what = left === 1 ? 'the arguments of 1 call' : `the arguments of ${left} calls`
          return fail(options, `this destroys ${what} for good; nothing is erased yet: repeat it with --yes`, exitCodes.usage, { left })
        }
        erased += counted.data.erased
        if (left > 0) continue
        return print(
          options,
          { kind: 'erased', erased },
          erased === 0 ? 'nothing of that is kept' : `erased the arguments of ${erased === 1 ? '1 call' : `${erased} calls`}`,
        )
      }
    })
}

function tenantName(text: string): string {
  if (parseTenantName(text)) return text
  throw new InvalidArgumentError('Write the name of a tenant, such as acme.')
}
