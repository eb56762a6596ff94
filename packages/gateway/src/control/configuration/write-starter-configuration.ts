import { stringify } from 'yaml'
import type { UpstreamConfiguration } from '@sallyport/contract'

export interface StarterChoices {
  readonly trustDomain: string
  readonly listen: string
  readonly enrolment: string
  readonly operations: string
  /** Names and addresses under which agents reach the gateway. */
  readonly names?: readonly string[]
  /** What was found on this machine; nothing is permitted on it until a rule says so. */
  readonly upstreams?: Readonly<Record<string, UpstreamConfiguration>>
}

/** The name of the JSON Schema that lies beside the configuration, for editors. */
export const schemaFileName = 'sallyport.schema.json'

/** A complete `sallyport.yaml` that says what each part is for. It permits nothing. */
export function writeStarterConfiguration({ trustDomain, listen, enrolment, operations, names, upstreams = {} }: StarterChoices): string {
  return `# yaml-language-server: $schema=./${schemaFileName}
#
# Sallyport. Check it with \`sallyport validate\`; a running gateway takes it over with \`sallyport reload\`.
${stringify({ version: 1 }).trim()}

# Fixed when the trust domain was made; every agent is spiffe://<trust domain>/tenant/<tenant>/agent/<agent>.
${field({ trustDomain })}

# Where agents call, each with its certificate.
${field({ listen })}
# Where a new agent exchanges its one-time token for a certificate.
${field({ enrolment })}
# Health, readiness and metrics, for this host.
${field({ operations })}
${names ? `# Names and addresses under which agents reach this gateway; they stand in its certificate.\n${field({ names })}\n` : ''}
# What agents can reach through the gateway, by name.
${Object.keys(upstreams).length > 0 ? field({ upstreams }) : exampleUpstreams}

# Who may do what. Nothing is permitted unless a rule permits it; deny wins over hold, and hold over permit, in whatever order they stand.
${exampleRules}

# How much. A quota counts permitted calls; the first call over it is refused with the time to wait.
${field({ quotas: [{ id: 'per-agent', per: ['tenant', 'agent'], requests: 600, window: '1m' }] })}
`
}

function field(members: Readonly<Record<string, unknown>>): string {
  return stringify(members, { lineWidth: 0 }).trimEnd()
}

const exampleUpstreams = `upstreams: {}
#  crm:
#    protocol: http
#    url: https://crm.example.com
#    credential: { secret: crm-key }        # sallyport secret set crm-key
#    operations:
#      - { name: get_invoice, method: GET, path: "/invoices/{id}" }
#  files:
#    protocol: mcp
#    command: [mcp-server-filesystem, /srv/files]
#    writable: [/srv/files]                 # it runs under bubblewrap: see docs/configuration.md
#  openai:
#    protocol: llm
#    api: openai                            # or anthropic
#    url: https://api.openai.com
#    credential: { secret: openai-key }
#    maxOutputTokens: 4096`

const exampleRules = `rules: []
#  - id: crm-read
#    match: { agent: invoice-bot, upstream: crm, action: get_invoice }
#    then: permit
#  - id: refunds-need-a-person
#    match: { upstream: payments, action: create_refund }
#    when: double(args.amount) > 50.0
#    then: hold                             # sallyport approvals, sallyport approve ID`
