import { z } from 'zod'
import { archiveEveryMsRange, archiveSchema, retainMsRange } from './archive-configuration.ts'
import { captureSchema } from './capture.ts'
import { heartbeatMsRange, runtimesSchema } from './runtimes-configuration.ts'

/** `500ms`, `30s`, `10m`, `12h`, `7d`: parsed to milliseconds. */
const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
export const duration = z
  .string()
  .regex(/^[1-9][0-9]{0,8}(ms|s|m|h|d)$/, 'a duration such as 500ms, 30s, 10m, 12h or 7d')
  .meta({ description: 'A duration: a whole number and ms, s, m, h or d', examples: ['30s'] })

export function durationMs(text: string): number {
  const unit = text.replace(/^[0-9]+/, '') as keyof typeof unitsMs
  return Number.parseInt(text, 10) * unitsMs[unit]
}

/** A day for what someone waits for: timers hold 24 days, and a longer one would be over at once. */
const dayAtMost = durationUpTo('24h')

function durationUpTo(longest: string): typeof duration {
  // A text that is no duration has its own fault.
  return duration.refine((text) => !(durationMs(text) > durationMs(longest)), `at most ${longest}`)
}

function durationBetween({ min, max }: { readonly min: number; readonly max: number }, words: string): typeof duration {
  return duration.refine((text) => {
    const ms = durationMs(text)
    return Number.isNaN(ms) || (ms >= min && ms <= max)
  }, `expected a duration of ${words}`)
}

/** `512B`, `64KiB`, `1MiB`, `2GiB`: parsed to bytes. */
const unitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const
export const size = z
  .string()
  .regex(/^[1-9][0-9]{0,8}(B|KiB|MiB|GiB)$/, 'a size such as 512B, 64KiB, 1MiB or 2GiB')
  .meta({ description: 'A size: a whole number and B, KiB, MiB or GiB', examples: ['1MiB'] })

export function sizeBytes(text: string): number {
  const unit = text.replace(/^[0-9]+/, '') as keyof typeof unitsBytes
  return Number.parseInt(text, 10) * unitsBytes[unit]
}

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63 characters')
const hostPort = z.string().regex(/^(?:\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+):[0-9]{1,5}$/, 'an address such as 127.0.0.1:8443')
const headerName = z.string().regex(/^[a-z0-9!#$%&'*+.^`|~-]{1,64}$/, 'a header name in lower case without underscores')

/** A glob over one word: `*` stands for any run of characters, everything else for itself. */
const glob = z.string().min(1).max(256)
const globs = z.union([glob, z.array(glob).min(1).max(256)])

const match = z
  .strictObject({ tenant: globs.optional(), agent: globs.optional(), upstream: globs.optional(), action: globs.optional() })
  .meta({ description: 'What the rule is about; a field that is left out matches everything' })

const rule = z.strictObject({
  id: name.meta({ description: 'The name by which the log and `explain` speak of this rule' }),
  match,
  when: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .meta({ description: 'A CEL expression over args, action, resource, subject, upstream and context; a rule without it always applies' }),
  then: z.enum(['deny', 'hold', 'permit']),
  approval: z
    .strictObject({ expires: durationUpTo('30d').optional() })
    .optional()
    .meta({ description: 'For hold: how long a person has to answer and the agent to use the answer (default 10m)' }),
  mode: z.enum(['enforce', 'shadow']).optional().meta({ description: 'shadow writes what the rule would do to the log and changes nothing' }),
})

const resultRule = z.strictObject({
  id: name.meta({ description: 'The name by which the log speaks of this rule' }),
  match,
  detect: z.array(z.string().min(1).max(64)).min(1).max(64).meta({ description: 'Detectors or their groups, such as secret or personal/credit-card' }),
  then: z.enum(['deny', 'redact']).meta({ description: 'redact replaces what is found, deny withholds the answer or breaks it off' }),
  binary: z
    .enum(['deny', 'pass'])
    .optional()
    .meta({ description: 'For deny: what happens to answers that are no text, in which nothing can be found (default pass)' }),
  mode: z.enum(['enforce', 'shadow']).optional().meta({ description: 'shadow counts what is found in the log and changes nothing' }),
})

const quota = z.strictObject({
  id: name,
  match: match.optional(),
  per: z.array(z.enum(['tenant', 'agent', 'upstream', 'action'])).min(1),
  requests: z.number().int().min(1).max(1_000_000_000).optional(),
  tokens: z.number().int().min(1).max(1_000_000_000).optional().meta({ description: 'Input and output tokens of language models' }),
  cost: z
    .number()
    .min(0.000001)
    .max(1_000_000_000)
    .multipleOf(0.000001)
    .optional()
    .meta({ description: 'What tokens cost by the prices of their upstream, in the currency of these prices' }),
  window: durationUpTo('366d'),
  burst: z.number().int().min(1).max(1_000_000_000).optional().meta({ description: 'How many requests may come at once (default: requests)' }),
})

const deadlines = z
  .strictObject({
    connect: dayAtMost.optional().meta({ description: 'To a connected, encrypted upstream (default 5s)' }),
    headers: dayAtMost.optional().meta({ description: 'From the request to the first byte of the answer (default 30s)' }),
    idle: dayAtMost.optional().meta({ description: 'Between two pieces of the answer (default 60s)' }),
    total: dayAtMost.optional().meta({ description: 'The whole exchange; event streams are exempt (default 10m)' }),
  })
  .optional()

const credential = z
  .strictObject({
    secret: name.meta({ description: 'The name given to `sallyport secret set`' }),
    header: headerName.optional().meta({ description: 'Default: authorization' }),
    format: z
      .string()
      .max(256)
      .regex(/\{secret\}/, 'must contain {secret}')
      .optional()
      .meta({ description: 'Default: Bearer {secret}' }),
  })
  .meta({ description: 'A credential that the gateway adds on the way out; agents never see it' })

const addresses = z
  .strictObject({
    allow: z
      .array(z.string().regex(/^[0-9a-fA-F.:]+\/[0-9]{1,3}$/, 'a CIDR range such as 10.1.0.0/16'))
      .max(64)
      .optional()
      .meta({ description: 'Private, loopback or otherwise special ranges this upstream may live in' }),
    pin: z
      .array(z.string().regex(/^[0-9a-fA-F.:]+$/, 'an IP address'))
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'The only addresses ever dialled; the resolver is not asked' }),
  })
  .optional()

const upstreamTls = z
  .strictObject({
    ca: z.string().optional().meta({ description: 'PEM file of the certificate authorities to trust for this upstream' }),
    certificate: z.string().optional().meta({ description: 'PEM file of the certificate the gateway shows to this upstream' }),
    key: z.string().optional().meta({ description: 'PEM file of its private key' }),
    serverName: z.string().optional(),
  })
  .optional()

const operation = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/)
    .max(1024)
    .meta({ description: 'A path template such as /invoices/{id}' }),
  lists: z
    .array(z.string().min(1).max(128))
    .max(64)
    .optional()
    .meta({ description: 'Query parameters that may be repeated; conditions always see them as lists' }),
})

const httpUpstream = z.strictObject({
  protocol: z.literal('http'),
  url: z.url({ protocol: /^https?$/ }),
  hosts: z
    .array(z.string().regex(/^[a-z0-9.-]+(?::[0-9]{1,5})?$/))
    .max(32)
    .optional()
    .meta({ description: 'Names under which `sallyport connect` offers this upstream as an HTTP proxy' }),
  operations: z.array(operation).max(10_000).optional(),
  openapi: z.string().optional().meta({ description: 'An OpenAPI 3 file (YAML or JSON) to read the operations from' }),
  encodedSlashes: z.boolean().optional().meta({ description: 'Let %2F through in paths (default false)' }),
  headers: z.array(headerName).max(64).optional().meta({ description: 'Headers of agents that reach this upstream beside those that always do' }),
  credential: credential.optional(),
  addresses,
  tls: upstreamTls,
  deadlines,
  connections: z.number().int().min(1).max(1024).optional(),
  answerBytesMax: size.optional(),
})

const pinning = z
  .enum(['pinned', 'approved', 'unpinned'])
  .optional()
  .meta({ description: 'Whose definitions of tools reach agents: those of the first sight (pinned, the default), those a person accepted (approved), any' })

const mcpHttpUpstream = z.strictObject({
  protocol: z.literal('mcp'),
  url: z.url({ protocol: /^https?$/ }),
  serverRequests: z
    .array(z.enum(['sampling/createMessage', 'elicitation/create', 'roots/list']))
    .optional()
    .meta({ description: 'Requests of the server to the agent that are let through (default none)' }),
  tools: pinning,
  credential: credential.optional(),
  addresses,
  tls: upstreamTls,
  deadlines,
  connections: z.number().int().min(1).max(1024).optional(),
  answerBytesMax: size.optional(),
})

const paths = z.array(z.string().min(1).max(4096)).max(64)

const mcpStdioUpstream = z.strictObject({
  protocol: z.literal('mcp'),
  command: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(64)
    .meta({ description: 'Program and arguments; started once per tenant and agent, never through a shell' }),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .optional()
    .meta({ description: 'The whole environment of the child: nothing is inherited' }),
  secrets: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), name)
    .optional()
    .meta({ description: 'Environment variables filled from the secret store' }),
  directory: z.string().min(1).max(4096).optional(),
  sandbox: z
    .string()
    .regex(/^(?:bubblewrap|none|user:[a-z0-9_][a-z0-9_-]{0,31})$/, 'bubblewrap, user:NAME or none')
    .optional()
    .meta({ description: 'What keeps the program from the keys of the gateway: bubblewrap (default), another user of this system (user:NAME), or none' }),
  network: z.boolean().optional().meta({ description: 'Whether the program may use the network; for sandbox: bubblewrap (default false)' }),
  readable: paths.optional().meta({ description: 'What it sees besides the system itself, such as a folder in a home; for sandbox: bubblewrap' }),
  writable: paths.optional().meta({ description: 'What it may change besides its own folder; for sandbox: bubblewrap' }),
  serverRequests: z.array(z.enum(['sampling/createMessage', 'elicitation/create', 'roots/list'])).optional(),
  tools: pinning,
  deadlines,
  idle: durationUpTo('7d').optional().meta({ description: 'A child that was not used for so long is stopped (default 15m)' }),
  answerBytesMax: size.optional(),
})

const pricePerMillion = z.number().min(0).max(1_000_000).multipleOf(0.000001)

const llmUpstream = z.strictObject({
  protocol: z.literal('llm'),
  api: z.enum(['openai', 'anthropic']).meta({ description: 'Which API is spoken there, by its provider or any server that is compatible with it' }),
  url: z.url({ protocol: /^https?$/ }).meta({ description: 'The base URL without /v1, such as https://api.openai.com' }),
  maxOutputTokens: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .meta({ description: 'Written into calls that name no limit of their own, so that what they can use is known before they leave' }),
  prices: z
    .record(
      z.string().min(1).max(256),
      z.strictObject({
        input: pricePerMillion,
        output: pricePerMillion,
        cachedInput: pricePerMillion.optional().meta({ description: 'Default: input' }),
      }),
    )
    .optional()
    .meta({ description: 'Per million tokens, by the name of the model, in the currency of the operator' }),
  credential: credential.optional().meta({ description: 'Default header and format: those of the api' }),
  addresses,
  tls: upstreamTls,
  deadlines,
  connections: z.number().int().min(1).max(1024).optional(),
  answerBytesMax: size.optional(),
})

const agentPath = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'an agent as TENANT/AGENT, such as acme/billing')
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'a scope without spaces and quotes')

const a2aUpstream = z.strictObject({
  protocol: z.literal('a2a'),
  agent: agentPath.meta({ description: "The agent behind it, TENANT/AGENT: no certificate but that agent's is taken there" }),
  url: z.url({ protocol: /^https$/ }).meta({ description: 'Where that agent takes JSON-RPC, such as https://billing.internal:9443/a2a' }),
  ticket: z
    .enum(['none', 'delegated'])
    .optional()
    .meta({ description: 'delegated: the agent gets a ticket, so that it can act on for the person of the caller (default none)' }),
  scopes: z.array(scope).max(64).optional().meta({ description: 'The most that such a ticket carries (default: what the caller has)' }),
  addresses,
  deadlines,
  connections: z.number().int().min(1).max(1024).optional(),
  answerBytesMax: size.optional(),
})

const file = z.string().min(1).max(4096)

/** The request for tokens included: whoever waits holds a place, and a session that is asked about waits as well. */
const providerDeadlines = z
  .strictObject({
    connect: durationUpTo('1m').optional().meta({ description: 'To a connected, encrypted provider (default 5s)' }),
    total: durationUpTo('2m').optional().meta({ description: 'One request with its whole answer (default 10s)' }),
  })
  .optional()

const identityProvider = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(512)
    .meta({ description: "The issuer identifier, exactly as in the provider's metadata" }),
  clientId: z
    .string()
    .regex(/^[\x20-\x7e]{1,256}$/, 'at most 256 printable ASCII characters')
    .meta({ description: 'How the provider knows this gateway' }),
  authentication: z
    .strictObject({
      method: z
        .enum(['private_key_jwt', 'tls', 'secret'])
        .meta({ description: 'private_key_jwt wants key, tls wants key and certificate, secret (only if nothing else is offered) wants secret' }),
      key: file.optional().meta({ description: 'PEM file of the private key, for this user alone (mode 600)' }),
      keyId: z
        .string()
        .regex(/^[\x21-\x7e]{1,256}$/, 'at most 256 printable ASCII characters')
        .optional()
        .meta({ description: 'The kid under which the provider knows the key (default: its RFC 7638 thumbprint)' }),
      certificate: file.optional().meta({ description: 'PEM file of the certificate that the provider knows' }),
      secret: name.optional().meta({ description: 'The name given to `sallyport secret set`' }),
    })
    .meta({ description: 'How this gateway proves to the provider that it is the client' }),
  registration: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2048)
        .meta({ description: 'The client configuration endpoint of this client' }),
      token: name.meta({ description: 'The name given to `sallyport secret set` for the registration access token' }),
    })
    .optional()
    .meta({ description: 'Where the gateway may change its own registration (RFC 7592), so that its key is rotated without a person' }),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'a scope: one word of at most 128 ASCII characters'))
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Default [openid, offline_access]; openid must be among them' }),
  tenants: globs.optional().meta({ description: 'Whose agents log in here (default those of all tenants)' }),
  parameters: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), z.string().min(1).max(1024))
    .optional()
    .meta({ description: 'Further parameters of the authorization request, such as access_type: offline' }),
  device: z
    .boolean()
    .optional()
    .meta({ description: 'Allow the device flow, in which the person confirms at the provider alone, without the page that names the agent (default false)' }),
  ca: file.optional().meta({ description: 'PEM file of the certificate authorities to trust for this provider' }),
  addresses,
  deadlines: providerDeadlines,
})

/** A session that lives for longer is a password. */
export const sessionLifetimeMsRange = { min: 10 * unitsMs.m, max: 90 * unitsMs.d } as const
/** A ticket cannot be called back before its end by anyone who does not ask. */
export const ticketLifetimeMsRange = { min: 30 * unitsMs.s, max: 5 * unitsMs.m } as const

/** Documents of programs come from wherever they say, so nothing but public addresses is dialled unless the operator names it. */
const clientLogins = z
  .strictObject({
    hosts: globs.optional().meta({ description: 'Hosts of the programs that may ask, as in their client_id (default all)' }),
    provider: name.optional().meta({ description: 'Where their people log in; needed where a tenant has several identity providers' }),
    addresses,
    ca: file.optional().meta({ description: 'PEM file of the certificate authorities to trust for the documents of programs (default those of the system)' }),
  })
  .optional()
  .meta({ description: 'MCP clients may let their person log in through `sallyport connect` (default off)' })

const sessions = z
  .strictObject({
    providers: z.record(name, identityProvider).default({}).meta({ description: 'Identity providers, by name; without any nobody can log in' }),
    listen: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: 'Where people confirm a login in their browser (default 127.0.0.1:8446)' }),
    publicUrl: z
      .url({ protocol: /^https?$/ })
      .max(256)
      .optional()
      .meta({
        description: 'How browsers reach it; redirect URIs are this and /callback/PROVIDER (default http at the address of listen, which then is of this host)',
      }),
    tls: z
      .strictObject({ certificate: file, key: file })
      .optional()
      .meta({ description: "A certificate that browsers trust, for an https publicUrl (default the gateway's own)" }),
    lifetime: durationBetween(sessionLifetimeMsRange, '10m to 90d')
      .optional()
      .meta({ description: 'From the login to the end of the session, however often it is refreshed (default 7d, at most 90d)' }),
    ticket: durationBetween(ticketLifetimeMsRange, '30s to 5m').optional().meta({ description: 'Lifetime of tickets (default and at most 5m)' }),
    replayWindow: durationUpTo('15m').optional().meta({ description: 'How long a handle whose answer was lost is answered the same again (default 10m)' }),
    quarantine: durationUpTo('10m')
      .optional()
      .meta({ description: 'How long a provider is left alone after an answer that leaves open what it did: its longest processing time (default 30s)' }),
    required: globs.optional().meta({ description: 'Tenants whose agents need a session for every call (default none)' }),
    clients: clientLogins,
  })
  .optional()
  .meta({ description: 'Sessions of people behind agents' })

const limits = z
  .strictObject({
    connections: z.number().int().min(1).max(1_000_000).optional(),
    connectionsPerAgent: z.number().int().min(1).max(100_000).optional(),
    requestsInFlight: z.number().int().min(1).max(1_000_000).optional(),
    requestsInFlightPerAgent: z.number().int().min(1).max(1_000_000).optional().meta({ description: 'Default: a quarter of requestsInFlight' }),
    headBytes: size.optional(),
    headerCount: z.number().int().min(1).max(1000).optional(),
    bodyBytes: size.optional(),
    judgedBodyBytes: size.optional().meta({ description: 'The largest JSON body or message that is read whole and judged (default 1MiB)' }),
    handshake: dayAtMost.optional(),
    head: dayAtMost.optional(),
    body: dayAtMost.optional(),
    keepAlive: dayAtMost.optional(),
    drain: dayAtMost.optional(),
  })
  .optional()

/** Each reads the log by itself. */
const alerts = z
  .strictObject({
    refreshesPerAgent: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'So many refreshes of an agent in 5 minutes are a burst (default 100)' }),
    refreshesPerTenant: z.number().int().min(1).max(1_000_000).optional().meta({ description: 'The same of a tenant (default 1000)' }),
    providerSlow: dayAtMost.optional().meta({ description: 'An identity provider that takes so long for a refresh is slow (default 5s)' }),
    webhook: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .max(2048)
          .meta({ description: 'Where signals are sent; http for an address of this host alone' }),
        secret: name.optional().meta({ description: 'The name given to `sallyport secret set`: what signs each message' }),
        perMinute: z.number().int().min(1).max(600).optional().meta({ description: 'At most so many messages (default 10); the rest is counted' }),
        addresses,
        ca: file.optional().meta({ description: 'PEM file of the certificate authorities to trust for it' }),
      })
      .optional()
      .meta({ description: 'Who is told of signals, as Standard Webhooks' }),
  })
  .optional()
  .meta({ description: 'What of the traffic of refreshes is odd, and who is told' })

export const exportsMax = 16

const exported = z
  .strictObject({
    format: z.enum(['jsonl', 'ocsf', 'syslog']).meta({ description: 'jsonl: the entries themselves, a line each; ocsf: OCSF 1.8.0 in JSON; syslog: RFC 5424' }),
    to: z
      .string()
      .min(1)
      .max(4096)
      .regex(/^(?:tls:\/\/(?:\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+):[0-9]{1,5}|(?![a-z0-9+.-]+:\/\/).*[^/])$/, 'a file, or tls://HOST:PORT')
      .meta({ description: 'A file, or tls://HOST:PORT' }),
    tls: upstreamTls.meta({ description: 'For tls://: whom to trust, and what to show' }),
    rotate: z
      .strictObject({
        size: size.optional().meta({ description: 'The file is put aside when it has so many bytes (default 100MiB)' }),
        keep: z.number().int().min(0).max(10_000).optional().meta({ description: 'How many of those put aside are kept (default 10)' }),
      })
      .optional()
      .meta({ description: 'For a file' }),
  })
  .meta({ description: 'Every entry of the log, from the first one on, at least once; see docs/operate/export.md' })

const logReading = z
  .strictObject({
    listen: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: 'Where anyone can read the log, every entry of it, to verify it (default off)' }),
    witnesses: z
      .array(
        z.strictObject({
          vkey: z.string().min(1).max(512).meta({ description: 'Its key, as `sallyport witness status` prints it' }),
          url: z.url({ protocol: /^https?$/ }).meta({ description: 'Its submission prefix' }),
        }),
      )
      .max(32)
      .optional()
      .meta({ description: 'Who cosigns each checkpoint, so that nobody can be shown another log' }),
    quorum: z.number().int().min(1).max(32).optional().meta({ description: 'How many of them must cosign a checkpoint before it is shown (default: all)' }),
    archive: archiveSchema({
      secretName: name,
      retain: durationBetween(retainMsRange, '1d to 36500d'),
      every: durationBetween(archiveEveryMsRange, '1s to 24h'),
    }),
  })
  .optional()
  .meta({ description: 'Who else can see the log' })
/** What the exporter itself writes, or what says how the message is framed. */
const framingHeaders: ReadonlySet<string> = new Set(['host', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection'])

const receiver = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .refine((text) => URL.parse(text)?.username === '', 'a URL without a user name: credentials go into headers')
    .meta({ description: 'The whole URL, such as http://127.0.0.1:4318/v1/traces' }),
  headers: z
    .record(
      headerName.refine((text) => !framingHeaders.has(text), 'the gateway fills this header itself'),
      z.strictObject({
        secret: name.meta({ description: 'The name given to `sallyport secret set`' }),
        format: z
          .string()
          .max(256)
          .regex(/\{secret\}/, 'must contain {secret}')
          .optional()
          .meta({ description: 'Default: {secret}' }),
      }),
    )
    .optional()
    .meta({ description: 'Credentials for the receiver, from the secret store' }),
}

/** Shorter, and the receiver hears the same numbers over and over. */
export const metricsIntervalMsMin = 1000

const telemetry = z
  .strictObject({
    traces: z
      .strictObject({
        ...receiver,
        sample: z.number().min(0).max(1).optional().meta({ description: 'The share of traces that is kept (default 1)' }),
        trust: z
          .enum(['none', 'link', 'parent'])
          .optional()
          .meta({ description: "What an agent's own traceparent is good for: nothing, a link (default), or to be the parent of ours" }),
        propagate: z.boolean().optional().meta({ description: "Whether upstreams get the gateway's own traceparent in place of the agent's (default false)" }),
      })
      .optional(),
    metrics: z
      .strictObject({
        ...receiver,
        interval: durationUpTo('1h')
          .refine((text) => !(durationMs(text) < metricsIntervalMsMin), 'at least 1s')
          .optional()
          .meta({ description: 'Default 60s' }),
      })
      .optional(),
  })
  .optional()
  .meta({ description: 'OpenTelemetry over OTLP/HTTP' })

/** All on this host: nothing is open to others before someone says so. */
export const defaultAddresses = { listen: '127.0.0.1:8443', enrolment: '127.0.0.1:8444', login: '127.0.0.1:8446', operations: '127.0.0.1:9464' } as const

/** Longer, and a stolen key works for too long; shorter, and agents do little but renew. */
export const certificateLifetimeMsRange = { min: unitsMs.h, max: 24 * unitsMs.h } as const
const certificateLifetime = durationBetween(certificateLifetimeMsRange, '1h to 24h')

/** Shorter, and a breath of the database stops everyone; longer, and who was revoked elsewhere goes on here. */
export const clusterTrustMsRange = { min: 2 * unitsMs.s, max: 5 * unitsMs.m } as const

const cluster = z
  .strictObject({
    database: z
      .string()
      .max(2048)
      .regex(/^postgres:\/\//, 'postgres://USER@HOST:PORT/NAME')
      .meta({ description: 'The PostgreSQL that the gateways share, as postgres://USER@HOST:PORT/NAME' }),
    passwordFile: z.string().min(1).max(4096).optional().meta({ description: 'File with the password of that user, if the database asks for one' }),
    tls: z
      .strictObject({
        ca: z.string().optional().meta({ description: 'PEM file of the certificate authorities to trust for it (default: those of the system)' }),
        certificate: z.string().optional().meta({ description: 'PEM file of the certificate that the gateway shows to it' }),
        key: z.string().optional().meta({ description: 'PEM file of its private key' }),
      })
      .optional()
      .meta({ description: 'TLS 1.2 or later; without this field only for a database on another host' }),
    connections: z.number().int().min(2).max(100).optional().meta({ description: 'At most so many connections at once (default 10)' }),
    trustFor: durationBetween(clusterTrustMsRange, '2s to 5m')
      .optional()
      .meta({ description: 'After so long without the database every call is refused, since others may have revoked its caller (default 10s)' }),
  })
  .optional()
  .meta({ description: 'Gateways of one trust domain that share agents, sessions and keys of tickets' })

/**
 * `sallyport.yaml`. Unknown fields are errors. Everything that may be left out has its default where it is used, listed in `docs/configuration.md`.
 */
export const configuration = z
  .strictObject({
    version: z.literal(1),
    trustDomain: z.string().min(1).max(253).meta({ description: 'The SPIFFE trust domain, such as agents.example.com; fixed by `sallyport init`' }),
    listen: hostPort.optional().meta({ description: `Where agents connect with their certificates (default ${defaultAddresses.listen})` }),
    enrolment: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: `Where new agents exchange their one-time token for a certificate (default ${defaultAddresses.enrolment})` }),
    operations: z
      .union([hostPort, z.literal('off')])
      .optional()
      .meta({ description: `Health, readiness and metrics, for this host only (default ${defaultAddresses.operations})` }),
    log: logReading,
    names: z
      .array(z.string().min(1).max(253))
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'DNS names and addresses in the certificate of the gateway (default localhost and 127.0.0.1)' }),
    certificates: z
      .strictObject({ lifetime: certificateLifetime.optional(), enrolmentToken: durationUpTo('30d').optional() })
      .optional()
      .meta({ description: 'Lifetime of agent certificates, 1h to 24h (default 12h), and of enrolment tokens (default 15m)' }),
    threads: z
      .number()
      .int()
      .min(0)
      .max(64)
      .optional()
      .meta({ description: 'Threads that serve agents, beside one for the ledger; 0 (the default) serves them on the main thread' }),
    sessions,
    alerts,
    runtimes: runtimesSchema(durationBetween(heartbeatMsRange, '100ms to 10m')),
    cluster,
    limits,
    telemetry,
    upstreams: z.record(name, z.union([httpUpstream, mcpHttpUpstream, mcpStdioUpstream, llmUpstream, a2aUpstream])).default({}),
    rules: z.array(rule).max(10_000).default([]),
    quotas: z.array(quota).max(1000).default([]),
    exports: z
      .record(name, exported)
      .refine((all) => Object.keys(all).length <= exportsMax, `at most ${exportsMax} exports`)
      .optional()
      .meta({ description: 'Where the entries of the log are sent, by a name that the place where an export has stopped is kept under' }),
    searchIndex: z
      .boolean()
      .optional()
      .meta({ description: 'Keep the index that makes `log search` fast on long logs up to date, on a thread of its own (default false)' }),
    results: z.array(resultRule).max(1000).optional().meta({ description: 'What answers must not carry to agents' }),
    capture: captureSchema({ match, keep: durationUpTo('3650d'), size }),
  })
  .meta({ title: 'Sallyport configuration' })

export type Configuration = z.infer<typeof configuration>
export type RuleConfiguration = z.infer<typeof rule>
export type QuotaConfiguration = z.infer<typeof quota>
export type ResultRuleConfiguration = z.infer<typeof resultRule>
export type MatchConfiguration = z.infer<typeof match>
export type OperationConfiguration = z.infer<typeof operation>
export type HttpUpstreamConfiguration = z.infer<typeof httpUpstream>
export type McpHttpUpstreamConfiguration = z.infer<typeof mcpHttpUpstream>
export type McpStdioUpstreamConfiguration = z.infer<typeof mcpStdioUpstream>
export type LlmUpstreamConfiguration = z.infer<typeof llmUpstream>
export type A2aUpstreamConfiguration = z.infer<typeof a2aUpstream>
export type UpstreamConfiguration =
  HttpUpstreamConfiguration | McpHttpUpstreamConfiguration | McpStdioUpstreamConfiguration | LlmUpstreamConfiguration | A2aUpstreamConfiguration
export type ExportConfiguration = z.infer<typeof exported>
export type SessionsConfiguration = NonNullable<z.infer<typeof sessions>>
export type IdentityProviderConfiguration = z.infer<typeof identityProvider>
export type ArchiveConfiguration = NonNullable<NonNullable<Configuration['log']>['archive']>
export type CaptureConfiguration = NonNullable<Configuration['capture']>
export type AlertsConfiguration = NonNullable<z.infer<typeof alerts>>
export type ClusterConfiguration = NonNullable<z.infer<typeof cluster>>
export type TelemetryConfiguration = NonNullable<z.infer<typeof telemetry>>

/** The JSON Schema that editors read, draft-07 because that is what they know. */
export function configurationJsonSchema(): object {
  return z.toJSONSchema(configuration, { io: 'input', target: 'draft-07' })
}
