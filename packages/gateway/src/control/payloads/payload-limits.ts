import { durationMs, sizeBytes, type CaptureConfiguration } from '@sallyport/contract'
import type { PayloadLimits } from './payload-store.ts'

/** Where the configuration says nothing. */
export const payloadBytesMaxDefault = 1_073_741_824
/** What one agent may take of it. */
const shareOfAgent = 1 / 4

/** One agent that fills its share leaves room for others; several can fill everything. */
export function payloadLimits({ size, sizePerAgent }: CaptureConfiguration = {}): PayloadLimits {
  const bytes = size === undefined ? payloadBytesMaxDefault : sizeBytes(size)
  return { bytes, agentBytes: sizePerAgent === undefined ? bytes * shareOfAgent : sizeBytes(sizePerAgent) }
}

export function keepPayloadsMs({ keep }: CaptureConfiguration = {}): number | undefined {
  return keep === undefined ? undefined : durationMs(keep)
}
