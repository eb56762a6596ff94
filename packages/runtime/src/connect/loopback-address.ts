/** Where the bridge listens: one of this machine's own loopback addresses. */
export interface LoopbackAddress {
  readonly host: '127.0.0.1' | '::1'
  /** 0 lets the system choose. */
  readonly port: number
}

const address = /^(127\.0\.0\.1|localhost|\[::1\]):([0-9]{1,5})$/

/** Reads `127.0.0.1:8787`, `localhost:8787` or `[::1]:8787`; undefined for every other address: whoever reaches the bridge acts as the agent. */
export function parseLoopbackAddress(text: string): LoopbackAddress | undefined {
  const [, host, portText] = address.exec(text.toLowerCase()) ?? []
  const port = Number(portText)
  if (host === undefined || port > 65_535) return undefined
  return { host: host === '[::1]' ? '::1' : '127.0.0.1', port }
}

/** The only values of Host that a client of ours sends: by any other name a page of another site could have been led here. */
export function ownAuthorities(port: number): ReadonlySet<string> {
  const names = ['127.0.0.1', 'localhost', '[::1]']
  return new Set(names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])))
}
