import { request } from 'node:https'
import { isIP } from 'node:net'
import { Fault, parseJson, problems, refused, type Json, type ProblemCode, type Refused } from '@sallyport/contract'
import type { GatewayAddress } from './gateway-address.ts'

const exchangeMsMax = 20_000
const answerBytesMax = 131_072

/** How the gateway is verified, and what is shown to it. */
export interface Credentials {
  /** The only roots that count. */
  readonly rootsPem: string
  readonly own?: { readonly certificatePem: string; readonly keyPem: string }
}

/**
 * One POST over a fresh TLS 1.3 connection whose peer is verified, name included, before a byte of the request leaves.
 *
 * A problem that the gateway answers comes back as the same refusal.
 *
 * @throws Fault `not-done` when the gateway could not be reached or verified, `unknown` when it did not answer properly
 */
export async function postJson(
  address: GatewayAddress,
  path: string,
  body: Json,
  credentials: Credentials,
): Promise<{ readonly kind: 'answer'; readonly value: Json } | Refused> {
  const { status, bytes } = await exchange(address, path, JSON.stringify(body), credentials)
  const parsed = parseJson(bytes)
  if (parsed.kind === 'refused') throw new Fault(`${address.host}:${address.port} answered ${status} with a body that is not strict JSON`, 'unknown')
  if (status === 200) return { kind: 'answer', value: parsed.value }
  return problemOf(parsed.value) ?? unexpected(address, status)
}

function exchange(
  { host, port }: GatewayAddress,
  path: string,
  body: string,
  { rootsPem, own }: Credentials,
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  return new Promise((resolve, reject) => {
    let outcome: Fault['outcome'] = 'not-done'
    const fail = (error: Error): void => reject(new Fault(`the gateway at ${host}:${port} ${whyFailed(error, host)}`, outcome, error))
    const outgoing = request({
      host,
      port,
      path,
      method: 'POST',
      agent: false,
      ca: rootsPem,
      minVersion: 'TLSv1.3',
      ...(isIP(host) === 0 && { servername: host }),
      ...(own && { cert: own.certificatePem, key: own.keyPem }),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(exchangeMsMax),
    })
    outgoing.once('error', fail)
    outgoing.once('socket', (socket) => socket.once('secureConnect', () => (outcome = 'unknown')))
    outgoing.once('response', (incoming) => {
      const pieces: Buffer[] = []
      let length = 0
      incoming.once('error', fail)
      incoming.on('data', (piece: Buffer) => {
        length += piece.length
        if (length > answerBytesMax) incoming.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`))
        else pieces.push(piece)
      })
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, bytes: Buffer.concat(pieces) }))
    })
    outgoing.end(body)
  })
}

function whyFailed(error: Error, host: string): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `does not go by the name ${host}: have its operator add it to "names" in sallyport.yaml and restart it`
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED') return "takes only agents that have a certificate: use the gateway's enrolment address"
  return `failed: ${error.message}`
}

function problemOf(value: Json): Refused | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value)) return undefined
  const { code, detail, retryAfterSeconds } = value
  if (typeof code !== 'string' || !isProblemCode(code)) return undefined
  return refused(code, undefined, {
    ...(typeof detail === 'string' && { detail: detail.slice(0, 1024) }),
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
  })
}

function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problems, text)
}

function unexpected({ host, port }: GatewayAddress, status: number): never {
  throw new Fault(`${host}:${port} answered ${status}, which no gateway does here`, 'unknown')
}
