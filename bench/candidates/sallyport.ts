import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnGateway, wholeGateway, type WholeGateway } from '../../test/fixtures/whole-gateway.ts'
import type { ClientTls } from '../load/orders.ts'
import { ended, type Candidate } from './candidate.ts'

export interface RunningSallyport {
  readonly tls: ClientTls
  readonly pid: number
  readonly plain: Candidate
  /** The same process, with an upstream that gets a credential and whose answers are masked. */
  readonly withCredential: Candidate
}

/** The product as a user starts it: identity, a condition over the body, a quota, two durable entries for each call. */
export async function startSallyport(upstreamPort: number, threads: number, wrapper: readonly string[] = []): Promise<RunningSallyport> {
  const whole = await wholeGateway()
  whole.threads = threads
  await configure(whole, upstreamPort)
  const { child, addresses } = await spawnGateway(whole, wrapper)
  const secret = { name: 'api-key', value: 'a-key-of-forty-characters-for-the-upstream', person: 'alice' }
  await whole.enrolAgent('bot', addresses)
  await whole.admin('secret.set', secret)
  const [cert = '', key = '', ca = ''] = await Promise.all(
    ['agent.crt', 'agent.key', 'bundle.crt'].map((file) => readFile(join(whole.folder, 'bot', file), 'utf8')),
  )
  const tls = { cert, key, ca }
  const pid = child.pid ?? 0
  const plain: Candidate = {
    name: threads === 0 ? 'sallyport' : `sallyport, threads: ${threads}`,
    origin: `https://${addresses.agents}`,
    prefix: '/http/api',
    tls,
    processes: [pid],
    stop: async () => {
      await ended(child)
      await whole[Symbol.asyncDispose]()
    },
  }
  return { tls, pid, plain, withCredential: { ...plain, name: 'sallyport, credential added', prefix: '/http/keyed', stop: async () => undefined } }
}

async function configure(whole: WholeGateway, upstreamPort: number): Promise<void> {
  const upstream = {
    protocol: 'http',
    url: `http://127.0.0.1:${upstreamPort}`,
    connections: 256,
    addresses: { allow: ['127.0.0.1/32'] },
    operations: [
      { name: 'create_thing', method: 'POST', path: '/things' },
      { name: 'get_blob', method: 'GET', path: '/blobs/{size}' },
      { name: 'follow_events', method: 'GET', path: '/events' },
    ],
  }
  await whole.configure(
    [
      { id: 'read', match: { agent: 'bot', upstream: ['api', 'keyed'], action: ['get_blob', 'follow_events'] }, then: 'permit' },
      { id: 'create', match: { agent: 'bot', upstream: ['api', 'keyed'], action: 'create_thing' }, when: 'args.body.amount <= 100.0', then: 'permit' },
      { id: 'not-for-others', match: { upstream: 'payments-*' }, then: 'deny' },
    ],
    [{ id: 'rate', per: ['agent'], requests: 1_000_000_000, window: '1m' }],
    '127.0.0.1:0',
    { api: upstream, keyed: { ...upstream, credential: { secret: 'api-key' } } },
    { limits: { connectionsPerAgent: 4096 } },
  )
}
