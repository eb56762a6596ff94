import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createAdaptorServer } from '@hono/node-server'
import { Fault, problems, refused, type Problem } from '@sallyport/contract'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie, setCookie } from 'hono/cookie'
import { secureHeaders } from 'hono/secure-headers'
import { cookieOf, cookieOfLink } from './login-secrets.ts'
import { loginMsMax, type Logins } from './logins.ts'
import { confirmPage, donePage, finishPage, problemPage } from './pages.ts'

/** Of a form: two short fields. */
export const formBytesMax = 4096
/** Of a request line and its headers. */
const headBytesMax = 16_384
const connectionsMax = 256
const requestMsMax = 10_000

/** PEM texts. */
export interface PageTls {
  readonly key: string
  readonly cert: string
}

export interface LoginListenerTerms {
  readonly address: { readonly host: string; readonly port: number }
  /** Undefined: without encryption, which is for this host alone. */
  readonly tls: PageTls | undefined
  /** Whose `Host` counts. */
  readonly publicUrl: () => string
  readonly logins: Logins
  readonly report: (event: string, error: unknown) => void
}

export interface LoginListener {
  readonly port: number
  replaceTls(tls: PageTls): void
  close(): Promise<void>
}

/** The pages on which people log in for agents. Nothing on them runs scripts, is framed, or says where someone came from. @throws as `listen` of node:net */
export async function listenForLogins(terms: LoginListenerTerms): Promise<LoginListener> {
  const { address, tls, report } = terms
  const options = {
    maxHeaderSize: headBytesMax,
    requestTimeout: requestMsMax,
    headersTimeout: requestMsMax,
    keepAliveTimeout: requestMsMax,
    connectionsCheckingInterval: 1_000,
  }
  const server = createAdaptorServer({
    fetch: pagesOf(terms).fetch,
    createServer: tls ? createHttpsServer : createHttpServer,
    serverOptions: { ...options, ...(tls && { ...tls, minVersion: 'TLSv1.2', handshakeTimeout: requestMsMax }) },
  }) as Server
  server.maxConnections = connectionsMax
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address.port, address.host, resolve))
  server.on('error', (error) => report('login.listener', error))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : address.port,
    replaceTls: (next) => 'setSecureContext' in server && typeof server.setSecureContext === 'function' && void server.setSecureContext(next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function pagesOf({ publicUrl, logins, report, tls }: LoginListenerTerms): Hono {
  const isEncrypted = tls !== undefined
  // RFC 6265bis section 4.1.3.2: with this prefix no other host and no unencrypted page can set it.
  const prefix = isEncrypted ? '__Host-sallyport-login-' : 'sallyport-login-'
  const browserOf = (context: Context, cookie: string): string => {
    const value = getCookie(context, `${prefix}${cookie}`) ?? ''
    return /^[A-Za-z0-9_-]{43}$/.test(value) ? value : ''
  }
  const refuse = (context: Context, problem: Problem): Response | Promise<Response> => {
    context.status(problems[problem.code].status)
    return context.html(problemPage(problem))
  }

  const app = new Hono()
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      ...(isEncrypted ? {} : { strictTransportSecurity: false }),
    }),
  )
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store')
    // A name that somebody else makes lead here is not answered (DNS rebinding).
    if (context.req.header('host') !== new URL(publicUrl()).host)
      return refuse(context, { code: 'login.link-invalid', detail: `These pages are at ${publicUrl()}.` })
    return next()
  })
  app.use(bodyLimit({ maxSize: formBytesMax, onError: (context) => refuse(context, { code: 'login.link-invalid', detail: 'The form is too large.' }) }))

  app.get('/login/:link', (context) => {
    const link = context.req.param('link')
    const view = logins.open(link)
    if ('problem' in view) return refuse(context, view.problem)
    // Anew each time: one that somebody has planted never counts.
    const browser = logins.newBrowser()
    const attributes = { path: '/', httpOnly: true, sameSite: 'Lax', secure: isEncrypted, maxAge: loginMsMax / 1000 } as const
    setCookie(context, `${prefix}${cookieOfLink(link)}`, browser, attributes)
    return context.html(confirmPage(view, `/login/${link}`, logins.formOf(link, browser)))
  })
  app.post('/login/:link', async (context) => {
    const { form } = await fieldsOf(context)
    const link = context.req.param('link')
    const url = await logins.confirm(link, form, browserOf(context, cookieOfLink(link)))
    return typeof url === 'string' ? context.redirect(url, 303) : refuse(context, url.problem)
  })
  app.get('/callback/:provider', async (context) => {
    const came = await logins.callback(context.req.param('provider'), new URL(context.req.url).searchParams, (cookie) => browserOf(context, cookie))
    if ('problem' in came) return refuse(context, came.problem)
    const browser = browserOf(context, cookieOf(came.link))
    return context.html(finishPage(came.view, came.loggedIn, `/finish/${came.link}`, logins.formOf(came.link, browser)))
  })
  app.post('/finish/:link', async (context) => {
    const { form, answer } = await fieldsOf(context)
    const link = context.req.param('link')
    const finished = await logins.finish(link, form, browserOf(context, cookieOf(link)), answer === 'yes')
    if (typeof finished === 'string') return context.redirect(finished, 303)
    return 'problem' in finished ? refuse(context, finished.problem) : context.html(donePage(finished))
  })
  app.notFound((context) => refuse(context, refused('login.link-invalid').problem))
  app.onError((error, context) => {
    report('login.failed', error)
    return refuse(
      context,
      error instanceof Fault ? { code: 'login.provider-failed', detail: 'Try again later; the operator’s log says more.' } : { code: 'gateway.fault' },
    )
  })
  return app
}

async function fieldsOf(context: Context): Promise<{ readonly form: string; readonly answer: string }> {
  const isForm = context.req.header('content-type') === 'application/x-www-form-urlencoded'
  const fields = new URLSearchParams(isForm ? await context.req.text() : '')
  return { form: fields.get('form') ?? '', answer: fields.get('answer') ?? '' }
}
