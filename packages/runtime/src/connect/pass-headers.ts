import { reachedAtHeader, ticketHeader } from '@sallyport/contract'
import type { HeaderPairs } from '../link/header-pairs.ts'
import type { ClientSecret } from './client-secret.ts'

/** Fields that belong to one connection. @see RFC 9110 section 7.6.1 */
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings']

/**
 * Fields that were meant for the bridge: it has judged Host and Origin, and Authorization is between it and its client (the gateway adds the upstream's credential
 * itself). A ticket, and where clients reach the bridge, are the bridge's to add. Expect was answered by the bridge's own server.
 */
const forBridge = ['host', 'origin', 'authorization', 'proxy-authorization', 'x-sallyport-secret', ticketHeader, reachedAtHeader, 'expect']

const crossOrigin = /^access-control-/

/** What goes on to the gateway: never the client secret, in whatever field it was put. */
export function onwardHeaders(headers: HeaderPairs, secret: ClientSecret): HeaderPairs {
  const dropped = new Set([...hopByHop, ...forBridge, ...namedByConnection(headers)])
  return headers.filter(([name, value]) => !dropped.has(name.toLowerCase()) && !value.includes(secret))
}

/** What of a login goes on: nothing that a browser keeps for this address, where other programs of its person listen as well. */
export function loginHeaders(headers: HeaderPairs): HeaderPairs {
  return headers.filter(([name]) => ['accept', 'content-type', 'content-length', 'user-agent'].includes(name.toLowerCase()))
}

/** What goes back to the client: the bridge alone says which origins may read an answer. */
export function returnedHeaders(headers: HeaderPairs): HeaderPairs {
  const dropped = new Set([...hopByHop, ...namedByConnection(headers)])
  return headers.filter(([name]) => !dropped.has(name.toLowerCase()) && !crossOrigin.test(name.toLowerCase()))
}

function namedByConnection(headers: HeaderPairs): readonly string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','))
    .map((name) => name.trim().toLowerCase())
}
