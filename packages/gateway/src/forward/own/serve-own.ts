import { unreachable, type Json, type Refused } from '@sallyport/contract'
import type { GatewayCall } from '../../access/access-request.ts'
import type { Principal } from '../../identity/identify.ts'
import { isReachable } from '../../policy/reach.ts'
import type { PolicySnapshot } from '../../policy/snapshot.ts'
import type { Forwarded } from '../forwarded.ts'

/** What the gateway can do for an agent itself; the control plane implements it, wherever the issuing key lives. */
export interface OwnActs {
  /** Issues a certificate for the same agent over the CSR's key, and records the lineage from the certificate that was shown. */
  renew(principal: Principal, csrPem: string): Promise<{ readonly certificatePem: string; readonly bundlePem: string; readonly notAfter: string } | Refused>
  /** Every upstream with the host names under which a proxy client may call it. */
  catalog(): readonly { readonly name: string; readonly protocol: 'http' | 'mcp' | 'llm'; readonly hosts: readonly string[] }[]
}

export async function serveOwn(acts: OwnActs, policy: PolicySnapshot, principal: Principal, call: GatewayCall): Promise<Forwarded> {
  switch (call.operation) {
    case 'whoami':
      return answer({ id: principal.id, tenant: principal.tenant, agent: principal.agent, notAfter: new Date(principal.notAfterMs).toISOString() })
    case 'catalog':
      return answer({ upstreams: acts.catalog().filter(({ name }) => isReachable(policy, principal, name)) })
    case 'certificate.renew': {
      const csrPem = readCsr(call.input)
      if (csrPem === undefined) return refusal({ code: 'access.malformed', detail: 'The body is {"csr": "<PEM>"}.' }, 'no csr in the body')
      const renewed = await acts.renew(principal, csrPem)
      if ('kind' in renewed) return refusal(renewed.problem, renewed.reason)
      return answer({ ...renewed })
    }
    default:
      return unreachable(call.operation)
  }
}

function readCsr(input: Json | undefined): string | undefined {
  if (typeof input !== 'object' || input === null || !('csr' in input)) return undefined
  const { csr, ...others } = input
  return typeof csr === 'string' && Object.keys(others).length === 0 ? csr : undefined
}

function answer(value: Json): Forwarded {
  const body = Buffer.from(JSON.stringify(value))
  return {
    kind: 'answer',
    answer: {
      status: 200,
      headers: [
        ['content-type', 'application/json'],
        ['cache-control', 'no-store'],
      ],
      body,
    },
    finished: Promise.resolve({ result: 'answered', status: 200, answerBytes: body.length }),
  }
}

function refusal(problem: Refused['problem'], reason: string): Forwarded {
  return { kind: 'refused', problem, reason, finished: Promise.resolve({ result: 'refused', code: problem.code }) }
}
