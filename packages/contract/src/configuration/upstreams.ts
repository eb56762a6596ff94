import { z } from 'zod'
import { addresses, dayAtMost, durationUpTo, headerName, name, scope, size } from './fields.ts'

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

export const upstreamTls = z
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

export const httpUpstream = z.strictObject({
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

export const mcpHttpUpstream = z.strictObject({
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

export const mcpStdioUpstream = z.strictObject({
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

export const llmUpstream = z.strictObject({
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

export const a2aUpstream = z.strictObject({
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

export type OperationConfiguration = z.infer<typeof operation>

export type HttpUpstreamConfiguration = z.infer<typeof httpUpstream>

export type McpHttpUpstreamConfiguration = z.infer<typeof mcpHttpUpstream>

export type McpStdioUpstreamConfiguration = z.infer<typeof mcpStdioUpstream>

export type LlmUpstreamConfiguration = z.infer<typeof llmUpstream>

export type A2aUpstreamConfiguration = z.infer<typeof a2aUpstream>

export type UpstreamConfiguration =
  HttpUpstreamConfiguration | McpHttpUpstreamConfiguration | McpStdioUpstreamConfiguration | LlmUpstreamConfiguration | A2aUpstreamConfiguration
