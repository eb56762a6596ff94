import type { Authority } from '../authority/authority.ts'
import type { Tickets } from '../tickets/tickets.ts'
import { changesKeptMs, changesReadMax, type ChangeFeed, type PlacedChange } from './cluster-change.ts'

/** Between two looks: what another gateway has revoked is refused here within a second. */
export const clusterLookMs = 300

/** So long a gateway goes on by what it knows, while it hears nothing of the shared database. */
export const clusterTrustMsDefault = 10_000

export interface FollowTerms {
  readonly feed: ChangeFeed
  /** The newest change when the state that `authority` and `tickets` started with was read, or before. */
  readonly place: number
  readonly authority: Pick<Authority, 'agents' | 'roster'>
  readonly tickets: Pick<Tickets, 'follow' | 'trust'>
  /** How long what was seen in one look may be relied on. */
  readonly trustMs: number
  readonly now: () => number
  readonly report: (event: string, fault: unknown) => void
}

export interface Following {
  /** Resolves when no look is under way. */
  close(): Promise<void>
}

/**
 * Keeps what this gateway knows of agents, sessions and keys as the other gateways leave it. When it can see nothing for `trustMs`, the roster is doubted: every call
 * is refused, until a look succeeds.
 */
export function followCluster(terms: FollowTerms): Following {
  const { authority, trustMs, now, report } = terms
  let { place } = terms
  let lookedAt = now()
  let looking: Promise<void> | undefined
  let isDoubted = false
  let isFailing = false

  const look = async (): Promise<void> => {
    const began = now()
    for (let isMore = true; isMore;) {
      const changes = await lookOnce(terms, place)
      place = changes.at(-1)?.place ?? place
      isMore = changes.length === changesReadMax
    }
    lookedAt = began
    isFailing = false
    isDoubted = false
    authority.roster.apply({ kind: 'current', fromMs: began, untilMs: began + trustMs })
  }

  const turn = (): void => {
    const silentMs = now() - lookedAt
    if (!isDoubted && (silentMs > trustMs || silentMs < 0)) {
      isDoubted = true
      authority.roster.apply({ kind: 'doubted' })
      report(
        'cluster.lost',
        new Error('the shared database was not heard of for too long: every call is refused until it is; after days, until this gateway is started anew'),
      )
    }
    if (looking) return
    // What was changed longer ago may not be there to read.
    if (silentMs > changesKeptMs / 2) return
    looking = look()
      .catch((fault: unknown) => {
        if (!isFailing) report('cluster.failed', fault) // once, not three times a second
        isFailing = true
      })
      .finally(() => (looking = undefined))
  }

  authority.roster.apply({ kind: 'current', fromMs: lookedAt, untilMs: lookedAt + trustMs })
  const looks = setInterval(turn, clusterLookMs)
  return {
    close: async () => {
      clearInterval(looks)
      await looking
    },
  }
}

async function lookOnce({ feed, authority, tickets, now }: FollowTerms, place: number): Promise<readonly PlacedChange[]> {
  let changes: readonly PlacedChange[] = []
  await authority.agents.follow(async () => {
    changes = await feed.behind(place)
    return changes.map(({ change }) => change)
  })
  const sessions = changes.flatMap(({ change, atMs }) => (change.kind === 'session-ended' ? [{ session: change.session, revokedAtMs: atMs }] : []))
  if (sessions.length > 0) await tickets.trust.apply({ kind: 'revoked', sessions, nowMs: now() })
  if (changes.some(({ change }) => change.kind === 'ticket-keys')) await tickets.follow()
  return changes
}
