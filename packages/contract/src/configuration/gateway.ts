import { z } from 'zod'
import { dayAtMost, durationBetween, size, unitsMs } from './fields.ts'

export const limits = z
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

/** All on this host: nothing is open to others before someone says so. */
export const defaultAddresses = { listen: '127.0.0.1:8443', enrolment: '127.0.0.1:8444', login: '127.0.0.1:8446', operations: '127.0.0.1:9464' } as const

/** Longer, and a stolen key works for too long; shorter, and agents do little but renew. */
export const certificateLifetimeMsRange = { min: unitsMs.h, max: 24 * unitsMs.h } as const

export const certificateLifetime = durationBetween(certificateLifetimeMsRange, '1h to 24h')

/** Shorter, and a breath of the database stops everyone; longer, and who was revoked elsewhere goes on here. */
export const clusterTrustMsRange = { min: 2 * unitsMs.s, max: 5 * unitsMs.m } as const

export const cluster = z
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

export type ClusterConfiguration = NonNullable<z.infer<typeof cluster>>
