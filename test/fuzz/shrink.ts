const triesMax = 2000
const msMax = 20_000

/** Leaves out ever smaller pieces as long as what is left still fails, then makes bytes plain. Ends early rather than late. */
export async function shrink(input: Uint8Array, fails: (candidate: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
  const endsAt = performance.now() + msMax
  let smallest = input
  let tries = 0
  const keep = async (candidate: Uint8Array): Promise<boolean> => {
    if (tries >= triesMax || performance.now() > endsAt) return false
    tries += 1
    if (!(await fails(candidate))) return false
    smallest = candidate
    return true
  }
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length;) {
      const without = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)])
      if (!(await keep(without))) at += size
    }
  }
  for (let at = 0; at < smallest.length; at += 1) {
    if (smallest[at] === 0x61) continue
    const plain = Uint8Array.from(smallest)
    plain[at] = 0x61
    await keep(plain)
  }
  return smallest
}
