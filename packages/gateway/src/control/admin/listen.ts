import { chmod, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Fault, problemDocument, problems, type Problem } from '@sallyport/contract'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { acts, type AdminPorts } from './acts.ts'

export const adminBodyBytesMax = 65_536

/**
 * The admin socket: a Unix socket that only its owner can open, in a folder that only its owner can enter. Whoever can open it is the operator.
 *
 * @throws Fault when another gateway answers on it
 */
export async function listenForAdmin(
  path: string,
  ports: AdminPorts,
  newId: () => string,
  report: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  if (await isAnswered(path)) throw new Fault('another gateway runs on this folder', 'not-done')
  await rm(path, { force: true })
  const refuse = (problem: Problem): Response => Response.json(problemDocument(problem, newId()), { status: problems[problem.code].status })
  const app = new Hono()
  app.use(bodyLimit({ maxSize: adminBodyBytesMax, onError: () => refuse({ code: 'control.invalid-input', detail: 'The input is too large.' }) }))
  app.post('/v1/:act', async (context) => {
    const perform = Object.hasOwn(acts, context.req.param('act')) ? acts[context.req.param('act')] : undefined
    if (!perform) return refuse({ code: 'control.not-found', detail: 'There is no such act.' })
    const input: unknown = await context.req.json().catch(() => undefined)
    const result = await perform(ports, input)
    await ports.inForce()
    return 'problem' in result ? refuse(problemIn(result)) : Response.json(result)
  })
  app.onError((error) => {
    report(error)
    return refuse(error instanceof Fault ? { code: 'gateway.fault', detail: error.message } : { code: 'gateway.fault' })
  })
  const server = createAdaptorServer({ fetch: app.fetch })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  await chmod(path, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

function problemIn(result: object): Problem {
  const { problem } = result as { readonly problem: Problem } // a Refused, told by its member
  return problem
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path)
    probe.once('connect', () => (probe.destroy(), resolve(true)))
    probe.once('error', () => resolve(false))
  })
}
