import type { Fault, Problem } from '@sallyport/contract'
import { isTimeout } from '../link/link-fault.ts'

/** What a failed link looks like to a client. */
export function faultProblem(fault: Fault): Problem {
  const outcome = fault.outcome === 'unknown' ? 'The call may have taken effect: look before you repeat it.' : 'The call had no effect.'
  return { code: isTimeout(fault) ? 'connect.gateway-timeout' : 'connect.gateway-unreachable', detail: `${fault.message}. ${outcome}` }
}
