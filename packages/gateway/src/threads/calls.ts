import { Fault } from '@sallyport/contract'
import type { MessagePort } from 'node:worker_threads'

/** What one thread offers another: functions whose arguments and results can be cloned. */
export type Offer<Api> = { readonly [Name in keyof Api]: (...args: never[]) => unknown }

/** An offer as the other thread sees it. Every call rejects with Fault when the offering thread is gone or does not answer in time. */
export type Calls<Api extends Offer<Api>> = {
  readonly [Name in keyof Api]: (...args: Parameters<Api[Name]>) => Promise<Awaited<ReturnType<Api[Name]>>>
}

interface Call {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly fault: { readonly message: string; readonly outcome: Fault['outcome'] } }

/** Carries out the calls that come in on a port. A failure that is no Fault is reported here, and told to the caller as a Fault of unknown outcome. */
export function serveCalls<Api extends Offer<Api>>(port: MessagePort, offer: Api, report: (error: unknown) => void): void {
  port.on('message', (call: Call) => void carryOut(offer, call, report).then((reply) => port.postMessage(reply)))
}

async function carryOut(offer: object, { id, name, args }: Call, report: (error: unknown) => void): Promise<Reply> {
  try {
    const act: unknown = Object.hasOwn(offer, name) ? Object.entries(offer).find(([known]) => known === name)?.[1] : undefined
    if (typeof act !== 'function') throw new TypeError(`a thread was asked for ${name}, which it does not offer`)
    return { id, result: await act.apply(offer, args) }
  } catch (error) {
    if (error instanceof Fault) return { id, fault: { message: error.message, outcome: error.outcome } }
    report(error)
    return { id, fault: { message: 'another thread of the gateway failed', outcome: 'unknown' } }
  }
}

/**
 * The calls that the thread behind a port offers, by their names.
 *
 * @param deadlineMs for each answer; absent for calls that rightly take any time, whose end is then that of the thread
 */
export function callsOver<Api extends Offer<Api>>(port: MessagePort, names: readonly (keyof Api & string)[], deadlineMs?: number): Calls<Api> {
  const waiting = new Map<number, { readonly resolve: (result: unknown) => void; readonly reject: (fault: Fault) => void }>()
  let nextId = 1
  let isGone = false
  port.on('message', (reply: Reply) => {
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('fault' in reply) call?.reject(new Fault(reply.fault.message, reply.fault.outcome))
    else call?.resolve(reply.result)
  })
  port.on('close', () => {
    isGone = true
    for (const { reject } of waiting.values()) reject(new Fault('another thread of the gateway ended', 'unknown'))
    waiting.clear()
  })
  const ask = (name: string, args: readonly unknown[]): Promise<unknown> => {
    if (isGone) return Promise.reject(new Fault('another thread of the gateway has ended', 'not-done'))
    const id = nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => waiting.get(id)?.reject(new Fault('another thread of the gateway does not answer', 'unknown')), deadlineMs)
    waiting.set(id, { resolve, reject })
    port.postMessage({ id, name, args } satisfies Call)
    return promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(id)
    })
  }
  const calls = Object.fromEntries(names.map((name) => [name, (...args: readonly unknown[]) => ask(name, args)]))
  return calls as unknown as Calls<Api> // made of exactly the names that the type asks for
}
