import type { ErrorMembers, ExitCode } from '@sallyport/contract'

/** Ends a command with a sentence for the person who ran it. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode
  readonly members: ErrorMembers

  constructor(exitCode: ExitCode, message: string, members: ErrorMembers = {}) {
    super(message)
    this.name = 'CommandFailure'
    this.exitCode = exitCode
    this.members = members
  }
}
