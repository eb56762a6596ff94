/** The load generator, a process of its own. */
import { connect, type TLSSocket } from 'node:tls'
import { setTimeout as wait } from 'node:timers/promises'
import { Pool, type Dispatcher } from 'undici'
import { orderSchema, type BenchRequest, type LoadReport, type Order, type Target } from './orders.ts'

let pool: Pool | undefined
const held: TLSSocket[] = []

process.on('message', (message) => {
  const order = orderSchema.parse(message)
  const from = process.cpuUsage()
  const at = performance.now()
  void carryOut(order).then(
    ({ requests, latencies = [] }) => report({ requests, latencies }),
    (error: unknown) => report({ requests: 0, latencies: [], failure: String(error) }),
  )
  const report = (found: Pick<LoadReport, 'requests' | 'latencies' | 'failure'>): void => {
    const { user, system } = process.cpuUsage(from)
    process.send?.({ ...found, cpuMicroseconds: user + system, seconds: (performance.now() - at) / 1000 } satisfies LoadReport)
  }
})
process.on('disconnect', () => process.exit())

async function carryOut(order: Order): Promise<{ requests: number; latencies?: number[] }> {
  switch (order.act) {
    case 'open': {
      const { origin, tls } = order.target
      pool = new Pool(origin, { connections: order.connections, pipelining: 1, ...(tls && { connect: { ...tls, rejectUnauthorized: false } }) })
      return { requests: 0 }
    }
    case 'press':
      return press(opened(), order.request, order.inFlight, order.seconds)
    case 'pace':
      return pace(opened(), order.request, order.perSecond, order.seconds)
    case 'hold':
      return hold(order.target, order.request, order.connections)
    case 'close':
      await pool?.close()
      pool = undefined
      for (const socket of held.splice(0)) socket.destroy()
      return { requests: 0 }
  }
}

function opened(): Pool {
  if (!pool) throw new TypeError('nothing is open')
  return pool
}

async function press(through: Pool, request: BenchRequest, inFlight: number, seconds: number): Promise<{ requests: number }> {
  const end = performance.now() + seconds * 1000
  let requests = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      await call(through, request)
      requests += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { requests }
}

async function pace(through: Pool, request: BenchRequest, perSecond: number, seconds: number): Promise<{ requests: number; latencies: number[] }> {
  const latencies: number[] = []
  const calls: Promise<void>[] = []
  const start = performance.now()
  for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - start) {
    // One for each interval that has begun: a timer that comes late must not lower the rate.
    while (calls.length < (elapsed * perSecond) / 1000) {
      const sentAt = performance.now()
      calls.push(call(through, request).then(() => void latencies.push(performance.now() - sentAt)))
    }
    await wait(1)
  }
  await Promise.all(calls)
  return { requests: calls.length, latencies: latencies.toSorted((a, b) => a - b) }
}

function call(through: Pool, { method, path, body, answerBytes }: BenchRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0
    let bytes = 0
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, answered) => void (status = answered),
      onResponseData: (_controller, piece) => void (bytes += piece.length),
      onResponseEnd: () => (status === 200 && bytes === answerBytes ? resolve() : reject(new Error(`${path} answered ${status} with ${bytes} bytes`))),
      onResponseError: (_controller, error) => reject(error),
    }
    through.dispatch({ method, path, ...(body !== undefined && { body, headers: ['content-type', 'application/json'] }) }, handler)
  })
}

/** Sixteen handshakes at a time: all at once would overrun the backlog of a listener. */
async function hold({ origin, tls }: Target, { path }: BenchRequest, connections: number): Promise<{ requests: number }> {
  const { hostname, port } = new URL(origin)
  let left = connections
  const opener = async (): Promise<void> => {
    while (left-- > 0) {
      const socket = connect({ host: hostname, port: Number(port), ...tls, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      held.push(socket)
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).once('data', () => resolve())
        socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
      })
    }
  }
  await Promise.all(Array.from({ length: 16 }, opener))
  return { requests: connections }
}
