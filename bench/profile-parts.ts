export interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

/** Natives that end in a system call on a socket; for the agent's, with the encryption before it. */
const writes = /^(?:writev|writeBuffer|write(?:Latin1|Utf8|Ascii)String)$/

/** By the frame nearest to the sample that belongs to a part: what a part calls, in Node or in the contract, is its own cost. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/\/gateway\/src\/edge\//, 'edge'],
  [/\/gateway\/src\/identity\//, 'identity'],
  [/\/gateway\/src\/access\//, 'access'],
  [/\/gateway\/src\/policy\/exact-call/, 'policy: digest of the call'],
  [/\/gateway\/src\/policy\//, 'policy'],
  [/\/gateway\/src\/ledger/, 'ledger'],
  [/\/audit\/(?:publication|log-key)|\/contract\/src\/log\/(?:merkle|tree|tile)/, 'audit: hashing and publishing'],
  [/\/gateway\/src\/audit\/(?:sequencer|journal)/, 'audit: entries to bytes and batches'],
  [/\/gateway\/src\/audit\//, 'audit: making entries'],
  [/\/drivers\/posix-log\//, 'audit: calls of the file system'],
  [/\/drivers\/sqlite\//, 'secret store'],
  [/\/gateway\/src\/forward\/(?:echo|escape)/, 'forward: mask'],
  [/\/gateway\/src\/forward\//, 'forward'],
  [/\/undici\//, 'undici'],
  [/\/gateway\/src\/(?:telemetry|threads)\//, 'metrics'],
  [/\/gateway\/src\/gateway\.ts/, 'gateway.ts'],
  [/^node:internal\/timers/, 'timers'],
  [/^node:internal\/fs/, 'audit: calls of the file system'],
]

/** @param stack from the innermost frame outwards */
export function partOf(stack: readonly Frame[]): string {
  const [leaf, caller] = stack
  if (leaf?.functionName === '(garbage collector)') return 'garbage collection'
  if (leaf?.functionName === '(program)') return 'outside JavaScript: event loop, reading sockets, decryption'
  const part = stack.flatMap(({ url }) => parts.find(([pattern]) => pattern.test(url))?.[1] ?? [])[0] ?? 'Node: sockets, streams, promises'
  if (caller?.url === 'node:internal/stream_base_commons' && leaf?.url === '' && writes.test(leaf.functionName))
    return part === 'undici' ? 'writing to the upstream (kernel)' : 'writing to the agent (encryption, kernel)'
  return part
}
