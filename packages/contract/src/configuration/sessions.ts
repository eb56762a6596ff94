import { z } from 'zod'
import { addresses, durationBetween, durationUpTo, file, globs, hostPort, name, unitsMs } from './fields.ts'

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

export const sessions = z
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

export type SessionsConfiguration = NonNullable<z.infer<typeof sessions>>

export type IdentityProviderConfiguration = z.infer<typeof identityProvider>
