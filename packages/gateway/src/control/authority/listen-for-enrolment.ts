import { listen, type Edge, type EdgeOptions } from '../../edge/listen.ts'
import { problemAnswer } from '../../edge/problem-answer.ts'
import type { Authority } from './authority.ts'
import { handleEnrolment } from './handle-enrolment.ts'
import { RefusalSample } from './refusal-sample.ts'

/** How often counts of what strangers were refused are told. */
const countsEveryMs = 10_000

export interface EnrolmentTerms extends Omit<EdgeOptions, 'tls' | 'clientCertificates'> {
  readonly authority: Authority
  readonly report: (event: string, error: unknown) => void
  /** Refused enrolments, the first few of a kind singly: strangers could fill the log, so they are not in it. */
  readonly tell: (event: string, facts: Readonly<Record<string, string | number>>) => void
}

/** Listens for agents that have a token and no certificate yet. @throws as `listen` */
export async function listenForEnrolment(terms: EnrolmentTerms): Promise<Pick<Edge, 'address' | 'replaceTls' | 'close'>> {
  const { authority, clock, report, tell } = terms
  const strangers = new RefusalSample()
  const tellCounts = (nowMs: number): void => strangers.takeCounts(nowMs).forEach(({ kind, count }) => tell('enrolment.refused', { reason: kind, count }))
  const edge = await listen({ ...terms, tls: authority.serverCredentials, clientCertificates: 'none' }, async (inbound) => {
    try {
      return await handleEnrolment(authority, inbound, (refusal) => {
        if (strangers.isTold(refusal.reason, clock())) tell('enrolment.refused', { ...refusal })
      })
    } catch (error) {
      report('enrolment.failed', error)
      return problemAnswer({ code: 'gateway.fault' }, inbound.id)
    }
  })
  const telling = setInterval(() => tellCounts(clock()), countsEveryMs).unref()
  return {
    address: edge.address,
    replaceTls: (tls) => edge.replaceTls(tls),
    close: async () => {
      clearInterval(telling)
      tellCounts(Number.POSITIVE_INFINITY)
      await edge.close()
    },
  }
}
