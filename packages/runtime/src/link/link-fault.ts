import { Fault } from '@sallyport/contract'

/** Codes after which certainly no byte of a request has been acted upon. */
const notDoneCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** TLS 1.3 lets a client send before the server has judged its certificate; the alert then arrives in place of an answer. */
const refusedCertificate = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_/

const timeoutCodes = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** Names what went wrong between agent and gateway, with what to do. */
export function linkFault(error: unknown, authority: string): Fault {
  const code = errorCode(error)
  const isNotDone = notDoneCodes.has(code) || refusedCertificate.test(code)
  return new Fault(`${sentence(code, authority)} (${code === '' ? describe(error) : code})`, isNotDone ? 'not-done' : 'unknown', error)
}

/** Whether the gateway was silent rather than away. */
export function isTimeout(fault: Fault): boolean {
  return timeoutCodes.has(errorCode(fault.cause))
}

function sentence(code: string, authority: string): string {
  if (refusedCertificate.test(code)) return `the gateway at ${authority} refuses this agent's certificate: renew it, or enrol again`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate at ${authority} is not for that name: enrol with the name that the gateway's certificate carries`
  if (notDoneCodes.has(code) && /CERT|SIGNED|VERIFY/.test(code)) return `what answers at ${authority} is not the gateway that this agent enrolled with`
  if (timeoutCodes.has(code)) return `the gateway at ${authority} did not answer in time`
  if (code === 'ECONNREFUSED') return `nothing listens at ${authority}: start the gateway, or correct its address`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name of the gateway ${authority} cannot be resolved`
  return `the connection to the gateway at ${authority} failed`
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0])
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
