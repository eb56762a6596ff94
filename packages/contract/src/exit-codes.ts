import { problems, type ProblemCode } from './problem.ts'

/** How every command ends. @see docs/cli.md */
export const exitCodes = {
  ok: 0,
  error: 1,
  approvalNeeded: 2,
  denied: 3,
  usage: 64,
  configuration: 78,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** What a refusal means to a script. */
export function exitCodeOf(code: ProblemCode): ExitCode {
  if (code === 'policy.approval-required') return exitCodes.approvalNeeded
  if (code === 'cli.usage' || code === 'control.invalid-input') return exitCodes.usage
  if (code === 'cli.setup' || code === 'control.configuration-invalid') return exitCodes.configuration
  return code.startsWith('policy.') || code.startsWith('identity.') ? exitCodes.denied : exitCodes.error
}

/** Members of a failure beside its text: of a problem that the gateway or the bridge gave, or what a command documents. */
export type ErrorMembers = { readonly code?: ProblemCode } & Readonly<Record<string, unknown>>

/**
 * What a command with `--json` says on standard error when it fails, in one shape for all. Without a problem of its own the exit code says what kind of failure
 * it is.
 */
export function commandError(
  exitCode: number,
  detail: string,
  members: ErrorMembers = {},
): { readonly error: ErrorMembers & { readonly code: ProblemCode; readonly title: string; readonly detail: unknown } } {
  const code = members.code ?? localCode(exitCode)
  return { error: { title: problems[code].title, detail, ...members, code } }
}

function localCode(exitCode: number): ProblemCode {
  if (exitCode === exitCodes.usage) return 'cli.usage'
  return exitCode === exitCodes.configuration ? 'cli.setup' : 'cli.failed'
}
