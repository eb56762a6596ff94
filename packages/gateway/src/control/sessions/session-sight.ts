import type { Problem } from '@sallyport/contract'
import type { SessionId, SessionOwner } from './session.ts'

/**
 * What is seen of the traffic of refreshes, whether the log has an entry of it or only a count.
 *
 * - `refresh`: one has its answer.
 * - `slow-path`: a caller was told to come back, a flight ended in doubt, or the provider is asked again.
 * - `ownership-failed`: a handle was shown by someone else.
 * - `handle-reused`: a handle that had been replaced was shown, and has ended its session.
 * - `no-session`: a handle of no session that goes on was shown.
 * - `answer-unfit`: the provider answered for another person, or with more than was granted.
 */
export type SessionSight =
  | { readonly kind: 'refresh'; readonly caller: Caller | undefined; readonly result: 'answered' | Problem['code'] }
  | {
      readonly kind: 'slow-path' | 'ownership-failed' | 'handle-reused' | 'no-session' | 'answer-unfit'
      readonly caller: Caller
      readonly session?: SessionId
    }

type Caller = Pick<SessionOwner, 'tenant' | 'agent'>

/** Gets what is seen. Never throws, and nothing waits for it. */
export type SeeSessions = (sight: SessionSight) => void
