import { durationMs, sizeBytes, type Configuration } from '@sallyport/contract'
import { defaultEdgeLimits, type EdgeLimits } from '../../edge/limits.ts'

/** @param threads how many listeners share the bounds that are for all callers together; 0 and 1 are one */
export function edgeLimits({ limits = {} }: Configuration, threads = 0): EdgeLimits {
  const { requestsInFlight = defaultEdgeLimits.requestsInFlight, headerCount } = limits
  const shared = (whole: number): number => Math.ceil(whole / Math.max(1, threads))
  return {
    ...defaultEdgeLimits,
    connections: shared(limits.connections ?? defaultEdgeLimits.connections),
    connectionsPerAgent: shared(limits.connectionsPerAgent ?? defaultEdgeLimits.connectionsPerAgent),
    requestsInFlight: shared(requestsInFlight),
    requestsInFlightPerAgent: shared(limits.requestsInFlightPerAgent ?? requestsInFlight / 4),
    ...(headerCount !== undefined && { headerCount }),
    ...(limits.headBytes !== undefined && { headBytes: sizeBytes(limits.headBytes) }),
    ...(limits.bodyBytes !== undefined && { bodyBytes: sizeBytes(limits.bodyBytes) }),
    ...(limits.handshake !== undefined && { handshakeMs: durationMs(limits.handshake) }),
    ...(limits.head !== undefined && { headMs: durationMs(limits.head) }),
    ...(limits.body !== undefined && { bodyMs: durationMs(limits.body) }),
    ...(limits.keepAlive !== undefined && { keepAliveMs: durationMs(limits.keepAlive) }),
    ...(limits.drain !== undefined && { drainMs: durationMs(limits.drain) }),
  }
}
