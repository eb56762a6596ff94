import type { BenchRequest } from './load/orders.ts'

export const events = 50
export const eventBytes = 100

/** 2 KiB of JSON. */
export const record = Buffer.from(recordText(2048))

export interface Payload {
  readonly name: string
  readonly request: BenchRequest
}

const order: BenchRequest = { method: 'POST', path: '/things', body: recordText(1024), answerBytes: record.length }

/** A JSON body that is judged before it is forwarded: the work that the gateway is for. */
export const small: Payload = { name: 'POST 1 KiB, answer 2 KiB', request: order }

export const payloads: readonly Payload[] = [
  small,
  { name: 'GET, 64 KiB', request: { method: 'GET', path: '/blobs/65536', answerBytes: 65_536 } },
  { name: 'GET, 1 MiB', request: { method: 'GET', path: '/blobs/1048576', answerBytes: 1_048_576 } },
  { name: `stream of ${events} events`, request: { method: 'GET', path: '/events', answerBytes: events * eventBytes } },
]

/** Nested and mixed, as bodies are. */
function recordText(bytes: number): string {
  const lines = Array.from({ length: Math.floor(bytes / 100) }, (_, index) => ({ sku: `part-${index}`, quantity: index + 1, price: 12.5, tags: ['a', 'b'] }))
  const text = JSON.stringify({ customer: 'c-1017', amount: 75, note: '', lines })
  return text.replace('"note":""', `"note":"${'n'.repeat(bytes - text.length)}"`)
}
