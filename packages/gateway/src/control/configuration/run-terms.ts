import { durationMs, type RuntimesConfiguration } from '@sallyport/contract'
import type { RunTerms } from '../../run-register.ts'

const defaults = { heartbeat: '30s', missedHeartbeats: 3, recordsPerMinute: 240 } as const

/** How runtimes must be heard, and how much they may record. */
export function runTerms({ heartbeat, missedHeartbeats, recordsPerMinute }: RuntimesConfiguration = {}): RunTerms & { readonly recordsPerMinute: number } {
  const heartbeatMs = durationMs(heartbeat ?? defaults.heartbeat)
  return {
    heartbeatMs,
    silentAfterMs: heartbeatMs * (missedHeartbeats ?? defaults.missedHeartbeats),
    recordsPerMinute: recordsPerMinute ?? defaults.recordsPerMinute,
  }
}
