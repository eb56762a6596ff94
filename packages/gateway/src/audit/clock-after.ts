/**
 * The clock of a log: entries are in the order of their times, whatever the system's clock does.
 *
 * @param lastTime of the newest entry, as it stands there
 */
export function clockAfter(lastTime: string | undefined): () => number {
  let latest = lastTime === undefined ? 0 : Date.parse(lastTime)
  return () => (latest = Math.max(latest, Date.now()))
}
