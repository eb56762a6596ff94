import { createHmac } from 'node:crypto'
import { Fault } from '@sallyport/contract'
import type { Resolver } from '../../forward/dial.ts'
import { openProviderHttp } from '../login/provider-http.ts'
import type { WebhookDefinition } from './alert-definition.ts'
import type { Deliver } from './alert-hook.ts'

/** Of one attempt, its connection and the whole answer included. */
const deliverMs = 5000
/** Bytes of a secret; less can be guessed. @see https://www.standardwebhooks.com */
const secretBytesMin = 24

export interface WebhookPorts {
  readonly resolver: Resolver
  /** Of the sealed store. @throws Fault */
  readonly revealShared: (name: string) => Promise<string | undefined>
  /** The origin of the log that the indexes are of. */
  readonly log: string
  readonly now: () => number
}

/**
 * Sends messages as Standard Webhooks, signed where there is a secret. The address is judged where it is dialled, no redirect is followed, and of the answer only its
 * status counts.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks
 */
export function openWebhook(definition: WebhookDefinition, ports: WebhookPorts): { readonly deliver: Deliver; close(): Promise<void> } {
  const http = openProviderHttp({ ...definition, connectMs: deliverMs, totalMs: deliverMs }, ports.resolver)
  return {
    deliver: async (id, { alert, leftOut }) => {
      const seconds = Math.floor(ports.now() / 1000)
      const body = JSON.stringify({
        type: alert ? 'signal.raised' : 'signal.left-out',
        timestamp: new Date(ports.now()).toISOString(),
        data: { log: ports.log, ...alert, ...(Object.keys(leftOut).length > 0 && { leftOut }) },
      })
      const signature = definition.secret === undefined ? {} : { 'webhook-signature': signatureOf(await secretOf(definition.secret, ports), id, seconds, body) }
      const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), ...signature }
      let status: number
      try {
        status = (await http.fetch(definition.url, { method: 'POST', headers, body })).status
      } catch (error) {
        throw new Fault(`the alert did not arrive: ${error instanceof Error ? error.message : 'unknown'}`, 'unknown', error)
      }
      if (status < 200 || status > 299) throw new Fault(`the receiver of alerts answered ${status}`, 'not-done')
    },
    close: () => http.close(),
  }
}

/** Never unsigned where the configuration says signed. */
async function secretOf(name: string, { revealShared }: WebhookPorts): Promise<Uint8Array> {
  const value = await revealShared(name)
  if (value === undefined) throw new Fault(`the secret ${name} is not set`, 'not-done')
  const secret = value.startsWith('whsec_') ? Buffer.from(value.slice('whsec_'.length), 'base64') : Buffer.from(value)
  if (secret.length < secretBytesMin) throw new Fault(`the secret ${name} has less than ${secretBytesMin} bytes`, 'not-done')
  return secret
}

function signatureOf(secret: Uint8Array, id: string, seconds: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`
}
