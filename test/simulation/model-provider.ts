import type { IdentityProvider, RefreshAnswer } from '../../packages/gateway/src/control/sessions/identity-provider.ts'
import { currentActor, type Machine, type Scheduler, type Way } from './scheduler.ts'

interface Token {
  readonly family: number
  state: 'live' | 'used'
}

export interface Request {
  readonly token: string
  readonly actor: string
  readonly at: number
  /** When it was over for the one who asked. */
  endedAt: number | undefined
  /** The moves of the run at these moments: much happens at one time. */
  readonly beganMove: number
  endedMove: number | undefined
  wasSent: boolean
  answered: RefreshAnswer['kind'] | undefined
}

export const grantedScopes = ['openid', 'payments'] as const

/**
 * An identity provider that is as strict as real ones are: it rotates at every refresh, and a token that is shown twice ends its whole family.
 *
 * Its answers can be slow, hung, lost, reset, doubled, wrong; what it has done by then is done.
 */
export class ModelProvider {
  readonly #scheduler: Scheduler
  readonly tokens = new Map<string, Token>()
  readonly deadFamilies = new Set<number>()
  readonly requests: Request[] = []
  readonly revoked: string[] = []
  /** Answers stay on the way until they are released. */
  holdsAnswers = false
  #made = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  login(family: number): string {
    return this.#issue(family)
  }

  isLive(token: string): boolean {
    const known = this.tokens.get(token)
    return known?.state === 'live' && !this.deadFamilies.has(known.family)
  }

  release(): void {
    this.holdsAnswers = false
    this.#scheduler.hold(({ label }) => label === 'provider answers', false)
  }

  /** The provider as one machine sees it. */
  seenFrom(machine: Machine): IdentityProvider {
    return {
      refresh: (token, signal) => this.#refresh(machine, token, signal),
      revoke: (token) =>
        this.#scheduler.callWays<boolean>(
          'provider revokes',
          machine,
          (answer) => [
            { name: '', take: async () => answer(this.#revoke(token)) },
            { name: 'NOT', take: async () => answer(false) },
          ],
          { touches: 'provider' },
        ),
    }
  }

  #refresh(machine: Machine, token: string, signal: AbortSignal): Promise<RefreshAnswer> {
    const request: Request = {
      token,
      actor: currentActor(),
      at: this.#scheduler.time,
      endedAt: undefined,
      beganMove: this.#scheduler.trace.length,
      endedMove: undefined,
      wasSent: true,
      answered: undefined,
    }
    this.requests.push(request)
    return new Promise((resolve) => {
      if (machine.isDead) return
      const isOver = (): void => {
        request.endedAt ??= this.#scheduler.time
        request.endedMove ??= this.#scheduler.trace.length
      }
      const finish = (answer: RefreshAnswer): void => {
        isOver()
        request.answered ??= answer.kind
        if (!machine.isDead) resolve(answer)
      }
      const unknown = (reason: string): void => finish({ kind: 'unknown', reason })
      let ignoresAbort = false
      signal.addEventListener('abort', () => {
        isOver()
        if (!ignoresAbort) unknown('aborted')
      })
      // The answer is on its way, and can be cut off; who waits is still there, or not.
      const answerLater = (answer: RefreshAnswer): void => {
        void this.#scheduler.call('provider answers', machine, () => finish(answer), { touches: this.holdsAnswers ? 'all' : 'own', isHeld: this.holdsAnswers })
      }
      const ways: readonly Way[] = [
        { name: '', take: async () => answerLater(this.#process(token)) },
        { name: 'AND ITS ANSWER IS LOST', take: async () => void (this.#process(token), unknown('connection reset')) },
        { name: 'NEVER: RESET', take: async () => unknown('connection reset') },
        { name: 'NEVER: 503', take: async () => unknown('status 503') },
        { name: 'AND HANGS', take: async () => void this.#process(token) },
        { name: 'NEVER: HANGS', take: async () => undefined },
        {
          name: 'AND ANSWERS AFTER THE DEADLINE',
          take: async () => {
            ignoresAbort = true
            const answer = this.#process(token)
            signal.addEventListener('abort', () => answerLater(answer))
          },
        },
        {
          name: 'TWICE',
          take: async () => {
            const answer = this.#process(token)
            this.#process(token)
            answerLater(answer)
          },
        },
        {
          name: 'AND REFUSES',
          take: async () => {
            const known = this.tokens.get(token)
            if (known) this.deadFamilies.add(known.family)
            answerLater({ kind: 'refused', reason: 'status 400, empty' })
          },
        },
        {
          name: 'UNSENT',
          take: async () => {
            request.wasSent = false
            finish({ kind: 'unsent', reason: 'connection refused' })
          },
        },
        {
          name: 'WITHOUT A NEW TOKEN',
          take: async () => answerLater({ kind: 'refreshed', tokens: { refreshToken: undefined, scopes: undefined, identity: undefined } }),
        },
        { name: 'FOR MORE', take: async () => answerLater(withTokens(this.#process(token), { scopes: [...grantedScopes, 'admin'] })) },
        {
          name: 'FOR ANOTHER SUBJECT',
          take: async () => answerLater(withTokens(this.#process(token), { identity: { issuer: 'https://idp.test', subject: 'mallory' } })),
        },
      ]
      void this.#scheduler.callWays<void>('provider gets the token', machine, () => ways, { touches: 'provider' })
    })
  }

  #process(token: string): RefreshAnswer {
    const known = this.tokens.get(token)
    if (!known || this.deadFamilies.has(known.family)) return { kind: 'refused', reason: 'invalid_grant' }
    if (known.state === 'used') {
      this.deadFamilies.add(known.family)
      return { kind: 'refused', reason: 'invalid_grant: reuse' }
    }
    known.state = 'used'
    return {
      kind: 'refreshed',
      tokens: { refreshToken: this.#issue(known.family), scopes: undefined, identity: { issuer: 'https://idp.test', subject: 'alice' } },
    }
  }

  #revoke(token: string): boolean {
    const known = this.tokens.get(token)
    if (known) this.deadFamilies.add(known.family)
    this.revoked.push(token)
    return true
  }

  #issue(family: number): string {
    this.#made += 1
    const token = `refresh-token-${family}-${this.#made}`
    this.tokens.set(token, { family, state: 'live' })
    return token
  }
}

function withTokens(answer: RefreshAnswer, more: object): RefreshAnswer {
  return answer.kind === 'refreshed' ? { ...answer, tokens: { ...answer.tokens, ...more } } : answer
}
