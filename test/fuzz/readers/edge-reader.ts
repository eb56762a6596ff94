import type { TLSSocket } from 'node:tls'
import { AgentLoads } from '../../../packages/gateway/src/edge/agent-loads.ts'
import { CallerConnection, type ListenerScope } from '../../../packages/gateway/src/edge/caller-connection.ts'
import { CoarseTime } from '../../../packages/gateway/src/edge/coarse-time.ts'
import { BodyError, type Answer, type Inbound } from '../../../packages/gateway/src/edge/inbound.ts'
import type { EdgeLimits } from '../../../packages/gateway/src/edge/limits.ts'
import { atRest, DeafCaller, readRequest, type ReadRequest } from './connection.ts'

/** The requests that the edge hands on, whole, from what one caller sends. */
export async function readByEdge(sent: Uint8Array | readonly Uint8Array[], limits: EdgeLimits): Promise<readonly ReadRequest[]> {
  const requests: ReadRequest[] = []
  let steps = 0
  const handle = async (inbound: Inbound): Promise<Answer> => {
    const body: Uint8Array[] = []
    try {
      for await (const piece of inbound.body?.read() ?? []) {
        body.push(piece)
        steps += 1
      }
      const target = inbound.query === '' ? inbound.path : `${inbound.path}?${inbound.query}`
      requests.push(readRequest(inbound.method, target, inbound.headers, body))
    } catch (error) {
      if (!(error instanceof BodyError)) throw error
    }
    return { status: 200, headers: [], body: new Uint8Array(0) }
  }
  const faults: unknown[] = []
  const scope: ListenerScope = {
    limits,
    time: new CoarseTime(),
    load: { requestsInFlight: 0, isDraining: false },
    handle,
    clock: () => 0,
    newId: () => 'request',
    observe: (event) => {
      if (event.kind === 'request-failed') faults.push(event.error)
    },
  }
  const load = new AgentLoads().connect('agent', 1)
  if (!load) throw new TypeError('the first connection of an agent is let in')
  const caller = new DeafCaller()
  const peer = { certificate: new Uint8Array(0), issuers: [], remoteAddress: '192.0.2.1' }
  // The connection uses of its socket what every Duplex has, and setNoDelay.
  const connection = new CallerConnection(caller as unknown as TLSSocket, peer, load, scope, () => undefined)
  for (const piece of sent instanceof Uint8Array ? [sent] : sent) caller.push(piece)
  await atRest(caller, () => steps + requests.length)
  connection.destroy('caller')
  if (faults.length > 0) throw faults[0]
  return requests
}
