/** Where an export goes. Every verb throws `Fault`; after one did, nothing since the last `confirm` counts as received, and all of it is sent again. */
export interface Destination {
  /** How long sent messages may wait for their confirmation while nothing follows, in milliseconds: confirming costs the destination something. */
  readonly confirmAfterMs: number
  /** Hands over messages in their order, each one line. Resolves when there is room for more; holds no more than these in memory. */
  send(messages: readonly string[]): Promise<void>
  /** Resolves when everything sent until now has arrived: kept on the disk, or read by the receiver. */
  confirm(): Promise<void>
  /** Gives up what is not confirmed. */
  close(): void
}

/** Where an export has stopped. */
export interface Cursor {
  /** The first entry that is not known to have arrived. */
  readonly next: number
  /** The hash of the entry in front of it as a leaf, base64url: it tells whether this is still the same log. */
  readonly leaf: string
}

/** The cursor of one export. */
export interface CursorStore {
  /** Undefined before the first one, and where what was kept cannot be read. @throws Fault */
  read(): Promise<Cursor | undefined>
  /** Durable when it resolves. @throws Fault */
  keep(cursor: Cursor): Promise<void>
}
