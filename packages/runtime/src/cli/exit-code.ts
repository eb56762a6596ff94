import type { ProblemCode } from '@sallyport/contract'

/** How every command ends. */
export const exitCodes = {
  ok: 0,
  error: 1,
  approvalNeeded: 2,
  denied: 3,
  usage: 64,
  configuration: 78,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a refusal of the gateway means to a script. */
export function exitCodeOf(code: ProblemCode): ExitCode {
  if (code === 'policy.approval-required') return exitCodes.approvalNeeded
  return code.startsWith('policy.') || code.startsWith('identity.') ? exitCodes.denied : exitCodes.error
}

/** Ends a command with a sentence for the person who ran it. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode
  readonly problem: { readonly code: ProblemCode } | undefined

  constructor(exitCode: ExitCode, message: string, problem?: { readonly code: ProblemCode }) {
    super(message)
    this.name = 'CommandFailure'
    this.exitCode = exitCode
    this.problem = problem
  }
}
