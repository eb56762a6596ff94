import { join } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where the agent's identity lives: `$SALLYPORT_IDENTITY`, else `~/.sallyport/agent`. */
export function defaultIdentityFolder(env: Environment): string {
  const { SALLYPORT_IDENTITY: given, HOME: home, USERPROFILE: profile } = env
  return given !== undefined && given !== '' ? given : join(home ?? profile ?? '.', '.sallyport', 'agent')
}
