import type { Command } from 'commander'
import { z } from 'zod'
import type { Acting, Common, OperatorConsole } from './operator-console.ts'
import { diffLines, escapeUnseen, visibleLines } from './definition-diff.ts'

const listed = z.object({
  tools: z.array(z.object({ tenant: z.string(), upstream: z.string(), tool: z.string(), standing: z.string(), held: z.array(z.string()) })),
})
const version = z.object({ digest: z.string(), definition: z.json() })
const compared = z.object({ tenant: z.string(), upstream: z.string(), tool: z.string(), accepted: version.nullable(), held: z.array(version) })

/** `sallyport tools`: which definitions of tools agents are shown, and which wait for a person. */
export function addToolCommands(root: Command, { common, as, shows, ask, person }: OperatorConsole): void {
  const tools = root.command('tools').description('the definitions of MCP tools: pinned, and held where they changed')
  shows(tools.command('list [upstream]').description('every tool that was seen; what waits for a person comes first')).action(
    (upstream: string | undefined, options: Common) => ask(options, 'tools.list', { ...(upstream !== undefined && { upstream }) }, showList),
  )
  common(tools.command('diff <upstream> <tool>').description('what changed in the definition of a tool, with everything that cannot be seen written out'))
    .option('--tenant <tenant>', 'where several know the tool')
    .action((upstream: string, tool: string, options: Common & { readonly tenant?: string }) =>
      ask(options, 'tools.diff', { upstream, tool, ...tenantOf(options) }, showDiff),
    )
  as(tools.command('accept <upstream> <tool>').description('show agents this definition from now on, and let them call the tool'))
    .requiredOption('--digest <digest>', 'the definition that you have seen, from "tools diff"')
    .option('--tenant <tenant>', 'where several know the tool')
    .action((upstream: string, tool: string, options: Acting & { readonly digest: string; readonly tenant?: string }) =>
      ask(
        options,
        'tools.accept',
        { upstream, tool, digest: options.digest, ...tenantOf(options), person: person(options) },
        () => `accepted ${upstream} ${tool}: agents are shown this definition from now on`,
      ),
    )
}

function tenantOf({ tenant }: { readonly tenant?: string }): { tenant?: string } {
  return tenant === undefined ? {} : { tenant }
}

function showList(value: unknown): string {
  const { tools } = listed.parse(value)
  if (tools.length === 0) return 'no tools were seen yet'
  return tools
    .map(({ tenant, upstream, tool, standing, held }) => `${standing.padEnd(9)}${tenant}  ${upstream}  ${tool}${held.length > 0 ? `  ${held.join(' ')}` : ''}`)
    .join('\n')
}

function showDiff(value: unknown): string {
  const { tenant, upstream, tool, accepted, held } = compared.parse(value)
  const title = `${upstream} ${tool} (tenant ${tenant})`
  const before = accepted ? visibleLines(accepted.definition) : []
  if (held.length === 0) return [`${title}: nothing waits`, ...before].map(escapeUnseen).join('\n')
  const parts = held.flatMap(({ digest, definition }) => [
    '',
    `--- accepted  ${accepted?.digest ?? 'nothing'}`,
    `+++ waits     ${digest}`,
    ...diffLines(before, visibleLines(definition)),
    '',
    `If agents may see this: sallyport tools accept ${upstream} ${tool} --digest ${digest} --tenant ${tenant}`,
  ])
  return [title, ...parts].join('\n')
}
