import type { Authority } from './authority.ts'

/** After a failure, and never more often. */
const retryMs = 60_000

/** Renews the gateway's own certificate whenever it is due, until the returned function is called. */
export function keepServerCertificateFresh(authority: Authority, now: () => number, report: (fault: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const schedule = (waitMs: number): void => {
    timer = setTimeout(() => void renew(), Math.max(waitMs, retryMs))
    timer.unref()
  }
  const renew = async (): Promise<void> => {
    try {
      if (now() >= authority.serverCredentials.renewAtMs) await authority.renewServerCertificate()
    } catch (fault) {
      report(fault)
    }
    if (timer) schedule(authority.serverCredentials.renewAtMs - now())
  }
  schedule(authority.serverCredentials.renewAtMs - now())
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
