import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import type { Sandbox } from '../../control/configuration/stdio-server-settings.ts'

/** Where people and running services keep what is theirs: keys in homes, sockets that obey whoever reaches them. */
const emptied = ['/home', '/root', '/run', '/tmp', '/var/tmp']

const resolverFile = '/etc/resolv.conf'

export interface Confinement {
  /** The folder that the program works in and may write. */
  readonly folder: string
  /** Files and folders of the gateway that no program may see, whatever else it may. */
  readonly hidden: readonly string[]
}

export interface Confined {
  readonly command: readonly [string, ...string[]]
  readonly uid?: number
  readonly gid?: number
}

/**
 * What to start in place of the program, so that it runs inside its sandbox.
 *
 * Under bubblewrap it has user, process, network, IPC and mount namespaces of its own and no capability, and it ends with the gateway. It sees the system
 * read-only; what is readable or writable is put back over the emptied folders, and what is hidden is covered last.
 *
 * @see bwrap(1), namespaces(7)
 */
export function confine(command: readonly [string, ...string[]], sandbox: Sandbox, { folder, hidden }: Confinement): Confined {
  if (sandbox.kind === 'none') return { command }
  if (sandbox.kind === 'user') return { command, uid: sandbox.uid, gid: sandbox.gid }
  const { bwrap, network, readable, writable } = sandbox
  const [file] = command
  // The name server's file is often a link into /run.
  const needed = [file, ...(network ? [resolverFile] : [])].flatMap((path) => [path, realpathSync(path)]).filter(isEmptied)
  const views = [
    ...emptied.filter((path) => kindOf(path) === 'folder').flatMap((path) => ['--tmpfs', path]),
    ...[...needed, ...readable].flatMap((path) => ['--ro-bind', path, path]),
    ...[folder, ...writable].flatMap((path) => ['--bind', path, path]),
    ...hidden.flatMap(coverOf),
  ]
  const namespaces = ['--unshare-all', ...(network ? ['--share-net'] : []), '--cap-drop', 'ALL', '--die-with-parent']
  return { command: [bwrap, ...namespaces, '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', ...views, '--chdir', folder, '--', ...command] }
}

const probeMsMax = 5_000

/** Why bubblewrap cannot make its namespaces here, or undefined when it can: many systems forbid them to users who are not root. */
export async function objectionToBubblewrap(bwrap: string): Promise<string | undefined> {
  const sandbox: Sandbox = { kind: 'bubblewrap', bwrap, network: false, readable: [], writable: [] }
  const [program, ...args] = confine([process.execPath, '-e', '0'], sandbox, { folder: '/', hidden: [] }).command
  const probe = spawn(program, args, { env: {}, stdio: ['ignore', 'ignore', 'pipe'], timeout: probeMsMax })
  let said = ''
  probe.stderr.on('data', (bytes: Uint8Array) => (said = (said + Buffer.from(bytes).toString('utf8')).slice(0, 1024)))
  const [code] = await once(probe, 'close')
  return code === 0 ? undefined : said.trim() || 'it does not end'
}

function isEmptied(path: string): boolean {
  return emptied.some((folder) => path.startsWith(folder + sep))
}

/** An empty folder over a folder, nothing over a file. */
function coverOf(path: string): readonly string[] {
  const kind = kindOf(path)
  if (kind === 'missing') return []
  const real = realpathSync(path)
  return kind === 'folder' ? ['--tmpfs', real] : ['--ro-bind', '/dev/null', real]
}

function kindOf(path: string): 'missing' | 'folder' | 'file' {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return 'missing'
  return found.isDirectory() ? 'folder' : 'file'
}
