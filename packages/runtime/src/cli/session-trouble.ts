import type { ProblemDocument } from '@sallyport/contract'
import type { SessionTrouble } from '../session/keep-session.ts'

/** What a person has to do where the agent's side cannot go on by itself. */
export function hintFor({ code }: Pick<ProblemDocument, 'code'>): string {
  switch (code) {
    case 'session.none':
      return 'Have a person run "sallyport session start TENANT/AGENT" and log in, then claim again.'
    case 'session.login-required':
    case 'session.invalid':
      return 'Have a person run "sallyport session start TENANT/AGENT" and log in, then run "sallyport agent session claim".'
    case 'session.stale-handle':
      return 'Somebody else uses this session: if that is not another process of this agent, revoke it.'
    default:
      return ''
  }
}

/** One line about why there is no fresh ticket. */
export function tellSessionTrouble(trouble: SessionTrouble): string {
  if (trouble instanceof Error) return `the session is not refreshed yet: ${trouble.message}`
  const hint = hintFor(trouble)
  const what = `${trouble.title} (${trouble.code})`
  return hint === '' ? `the session is not refreshed yet: ${what}` : `the session cannot go on: ${what}. ${hint}`
}
