import { createHmac } from 'node:crypto'
import { Fault, refused, type AgentName, type Refused, type SpiffeId, type TenantName } from '@sallyport/contract'
import type { CompletedLogin, SessionClient, SessionId, SessionOwner } from '../sessions/session.ts'
import { cookieOf, digestOf, isSame } from './login-secrets.ts'
import type { Challenge, LoggedIn, Provider } from './provider.ts'
import { withProvider } from './providers.ts'

/** From the link to the end of the login. */
export const loginMsMax = 600_000
/** Logins that are remembered, those that ended in the last minutes too. */
export const loginsMax = 256
export const loginsPerAgentMax = 8
/** Of those, logins that programs have asked for: operators always find room. */
export const programLoginsMax = 128
/** For all that one request of a browser asks of a provider. */
const providerMsMax = 15_000

export interface LoginsPorts {
  /** How browsers reach the login pages, without a final slash. */
  readonly publicUrl: () => string
  readonly now: () => number
  readonly random: (length: number) => Uint8Array
  /** Opens the session, durable when it resolves. */
  readonly completed: (login: CompletedLogin) => Promise<{ readonly kind: 'opened'; readonly session: SessionId } | Refused>
  readonly report: (event: string, error: unknown) => void
}

/** Whom an agent is to be logged in for, and who asked for it. */
export interface LoginRequest {
  readonly owner: SessionOwner
  readonly provider: Provider
  /** The operator; undefined where a program asks. */
  readonly person: string | undefined
  /** Subject or verified e-mail address that must be the one that logs in. */
  readonly expected: string | undefined
  /** Of those that the configuration names; undefined: all. */
  readonly scopes?: readonly string[]
  /** The program that asks. What the person grants is its own, and no agent can take it up. */
  readonly program?: AskingProgram
}

/** A program that lets its person log in, and where their answer goes. */
export interface AskingProgram {
  readonly client: SessionClient
  /** Of its `client_id`. */
  readonly host: string
  /** As it calls itself. */
  readonly name: string | undefined
  /** Where the answer goes, as a person reads it. */
  readonly answersTo: string
  /** Takes what the person has granted. @returns where the browser goes */
  readonly granted: (request: LoginRequest, loggedIn: LoggedIn) => string
  readonly denied: () => string
}

/** A login. Each stage is left once. */
interface Login extends LoginRequest {
  readonly id: string
  readonly link: string
  readonly expiresAt: number
  stage:
    | { readonly at: 'link' }
    | { readonly at: 'provider'; readonly challenge: Challenge; readonly browser: string }
    | { readonly at: 'finish'; readonly loggedIn: LoggedIn; readonly browser: string }
    | { readonly at: 'done'; readonly outcome: { readonly kind: 'opened'; readonly session: SessionId } | Refused }
}

/** What a page shows of a login. */
export interface LoginView {
  readonly spiffeId: SpiffeId
  readonly tenant: TenantName
  readonly agent: AgentName
  readonly provider: string
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly person: string | undefined
  readonly program: Pick<AskingProgram, 'client' | 'host' | 'name' | 'answersTo'> | undefined
}

/**
 * Logins of people for agents, from the link to the session.
 *
 * The link opens a page and changes nothing. Who confirms on it binds the login to their browser by its cookie; the answer of the provider, and the last word, count
 * from that browser alone. The last page shows whose account it is before the agent gets it, so nobody's account is attached unseen.
 */
export class Logins {
  readonly #ports: LoginsPorts
  /** By the digest of the link. */
  readonly #byLink = new Map<string, Login>()
  readonly #formKey: Uint8Array

  constructor(ports: LoginsPorts) {
    this.#ports = ports
    this.#formKey = ports.random(32)
  }

  /** Refuses `control.conflict` when too many are under way. */
  start(request: LoginRequest): { readonly kind: 'started'; readonly id: string; readonly link: string; readonly expiresAt: number } | Refused {
    void this.sweep()
    const alike = [...this.#byLink.values()].filter(({ program }) => (program === undefined) === (request.program === undefined))
    // A login of a program that failed keeps its place to its end: nobody needs to know anything to make one fail.
    const same = alike.filter(({ owner, program, stage }) => owner.id === request.owner.id && (program !== undefined || stage.at !== 'done'))
    const hasRoom = this.#byLink.size < loginsMax && (request.program === undefined || alike.length < programLoginsMax)
    if (same.length >= loginsPerAgentMax || !hasRoom) {
      const detail = `Too many logins are under way: wait for one to end, at most ${loginMsMax / 60_000} minutes.`
      return refused('control.conflict', detail, { detail })
    }
    const id = this.#secret()
    const link = this.#secret()
    const expiresAt = this.#ports.now() + loginMsMax
    this.#byLink.set(digestOf(link), { ...request, id, link: digestOf(link), expiresAt, stage: { at: 'link' } })
    return { kind: 'started', id, link: `${this.#ports.publicUrl()}/login/${link}`, expiresAt }
  }

  /** How a login stands, for whoever started it. */
  outcome(id: string): { readonly kind: 'waiting' } | { readonly kind: 'opened'; readonly session: SessionId } | Refused {
    void this.sweep()
    const login = [...this.#byLink.values()].find((one) => one.id === id)
    if (!login) return refused('login.link-invalid', 'the login is over or never was')
    return login.stage.at === 'done' ? login.stage.outcome : { kind: 'waiting' }
  }

  /** What the link is about. Changes nothing: programs that look at mail open links too. Refuses `login.link-invalid`. */
  open(link: string): LoginView | Refused {
    const login = this.#at(digestOf(link), 'link')
    return login ? viewOf(login) : invalidLink
  }

  /** Sends the browser to the provider. `browser`: the secret in its cookie. Refuses `login.link-invalid`, `login.other-browser`. @throws Fault */
  async confirm(link: string, form: string, browser: string): Promise<string | Refused> {
    if (!this.isForm(link, browser, form)) return otherBrowser
    const login = this.#at(digestOf(link), 'link')
    if (!login) return invalidLink
    const challenge: Challenge = {
      state: this.#secret(),
      nonce: this.#secret(),
      verifier: this.#secret(),
      redirectUri: `${this.#ports.publicUrl()}/callback/${login.provider.definition.name}`,
      scopes: login.scopes,
    }
    const url = await login.provider.authorizationUrl(challenge, AbortSignal.timeout(providerMsMax))
    // Others may have confirmed meanwhile.
    if (login.stage.at !== 'link') return invalidLink
    login.stage = { at: 'provider', challenge, browser: digestOf(browser) }
    return url
  }

  /** Takes the answer of a provider, once. `browserOf`: the secret in the cookie of a login, by its `cookieOf`. Refuses `login.*`. */
  async callback(
    providerName: string,
    parameters: URLSearchParams,
    browserOf: (cookie: string) => string,
  ): Promise<{ readonly view: LoginView; readonly loggedIn: LoggedIn; readonly link: string } | Refused> {
    const states = parameters.getAll('state')
    const login = [...this.#byLink.values()].find(
      ({ stage }) => stage.at === 'provider' && states.length === 1 && isSame(stage.challenge.state, states[0] ?? ''),
    )
    if (login?.stage.at !== 'provider' || login.expiresAt <= this.#ports.now()) return invalidLink
    if (!isSame(login.stage.browser, digestOf(browserOf(cookieOf(login.link))))) return otherBrowser
    const { challenge, browser: bound } = login.stage
    // Whatever comes of it, this answer does not count twice.
    this.#end(login, refused('login.refused', 'the provider’s answer was not taken'))
    if (login.provider.definition.name !== providerName) return this.#end(login, refused('login.refused', 'the answer came for another provider'))
    const loggedIn = await login.provider.exchange(parameters, challenge, AbortSignal.timeout(providerMsMax))
    if ('problem' in loggedIn) {
      this.#ports.report('login.refused', new Error(loggedIn.reason))
      return this.#end(login, loggedIn)
    }
    const unfit = await this.objectionTo(login, loggedIn)
    if (unfit) return this.#end(login, unfit)
    if (login.expiresAt <= this.#ports.now()) {
      await this.giveBack(login.provider, loggedIn) // nobody remembers the login any more
      return invalidLink
    }
    login.stage = { at: 'finish', loggedIn, browser: bound }
    // What was granted can be more than was asked for, and this is the page on which the person says yes.
    return { view: { ...viewOf(login), scopes: loggedIn.scopes }, loggedIn, link: login.link }
  }

  /**
   * The last word of the person, who has seen whose account it is. `link`: as `callback` gave it. Refuses `login.*`, `control.conflict`. @throws Fault
   *
   * @returns what to show, or the address of the program that gets the answer
   */
  async finish(link: string, form: string, browser: string, isWanted: boolean): Promise<LoginView | string | Refused> {
    if (!this.isForm(link, browser, form)) return otherBrowser
    const login = this.#at(link, 'finish')
    if (login?.stage.at !== 'finish') return invalidLink
    if (!isSame(login.stage.browser, digestOf(browser))) return otherBrowser
    const { loggedIn } = login.stage
    if (!isWanted) {
      const outcome = this.#end(login, refused('login.refused', 'the person did not want it'))
      await this.giveBack(login.provider, loggedIn)
      return login.program ? login.program.denied() : outcome
    }
    if (login.program) {
      this.#byLink.delete(link)
      return login.program.granted(login, loggedIn)
    }
    this.#end(login, refused('login.refused', 'the session could not be opened'))
    const opened = await this.complete(login, loggedIn)
    login.stage = { at: 'done', outcome: opened }
    return 'problem' in opened ? opened : viewOf(login)
  }

  /** Refuses `login.refused` for another account than the one that was asked for; its tokens are given back. */
  async objectionTo({ expected, provider }: LoginRequest, loggedIn: LoggedIn): Promise<Refused | undefined> {
    if (expected === undefined || expected === loggedIn.subject || expected === loggedIn.verifiedEmail) return undefined
    await this.giveBack(provider, loggedIn)
    const detail = 'Another account logged in than the one that was asked for.'
    return refused('login.refused', detail, { detail })
  }

  /** Opens the session, or gives the tokens back. @throws Fault */
  async complete({ owner, provider, person, program }: LoginRequest, loggedIn: LoggedIn): ReturnType<LoginsPorts['completed']> {
    const { issuer, subject, scopes, refreshToken } = loggedIn
    try {
      const opened = await this.#ports.completed({
        owner,
        issuer,
        subject,
        scopes,
        person,
        client: program?.client,
        refreshToken: withProvider(provider.definition.name, refreshToken),
      })
      if ('problem' in opened) await this.giveBack(provider, loggedIn)
      return opened
    } catch (error) {
      // A Fault may have left it open or not; a session nobody hears of ends by itself, and its token with it.
      if (!(error instanceof Fault && error.outcome === 'unknown')) await this.giveBack(provider, loggedIn)
      throw error
    }
  }

  /** What a form must carry, that was shown to this browser for this login. */
  formOf(link: string, browser: string): string {
    return createHmac('sha256', this.#formKey).update(`${link} ${browser}`).digest('base64url')
  }

  isForm(link: string, browser: string, form: string): boolean {
    return browser !== '' && isSame(this.formOf(link, browser), form)
  }

  newBrowser(): string {
    return this.#secret()
  }

  /** Forgets what is over by then, and gives back what nobody took. */
  async sweep(until = this.#ports.now()): Promise<void> {
    const over = [...this.#byLink.values()].filter(({ expiresAt }) => expiresAt <= until)
    for (const { link } of over) this.#byLink.delete(link)
    await Promise.all(over.flatMap(({ provider, stage }) => (stage.at === 'finish' ? [this.giveBack(provider, stage.loggedIn)] : [])))
  }

  #at(link: string, at: Login['stage']['at']): Login | undefined {
    const login = this.#byLink.get(link)
    return login && login.stage.at === at && login.expiresAt > this.#ports.now() ? login : undefined
  }

  #end(login: Login, outcome: Refused): Refused {
    login.stage = { at: 'done', outcome }
    return outcome
  }

  /** Gives a token back that nobody uses. Never rejects. */
  async giveBack(provider: Provider, { refreshToken }: LoggedIn): Promise<void> {
    const isGiven = await provider.revoke(refreshToken, AbortSignal.timeout(providerMsMax))
    if (!isGiven) this.#ports.report('login-token', new Error(`${provider.definition.name} did not take a token back that nobody uses`))
  }

  #secret(): string {
    return Buffer.from(this.#ports.random(32)).toString('base64url')
  }
}

const invalidLink = refused('login.link-invalid', undefined, { detail: 'Ask for a new link: "sallyport session start".' })
const otherBrowser = refused('login.other-browser', undefined, {
  detail: 'Open the link again, and finish in the browser in which you began. Cookies must be allowed.',
})

function viewOf({ owner, provider, person, scopes, program }: Login): LoginView {
  const { name, issuer, scopes: all } = provider.definition
  return { spiffeId: owner.id, tenant: owner.tenant, agent: owner.agent, provider: name, issuer, scopes: scopes ?? all, person, program }
}
