import { randomUUID } from 'node:crypto'
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources'

/** For one batch to be sent, repetitions included. */
export const exportMsMax = 5_000
/** For what is left at the end; what is not sent by then is lost. */
export const closeMsMax = 2_000

/** Where telemetry goes. */
export interface Receiver {
  /** The whole URL of one signal. */
  readonly endpoint: string
  /** Headers with their credentials, asked for anew for each batch. Never rejects. */
  readonly headers: () => Promise<Record<string, string>>
  /** Hears how each batch fared. */
  readonly onExport: (failure: Error | undefined) => void
}

/** Who speaks. Nothing about the host, its user or its environment. */
export function resourceOf(version: string): Resource {
  return resourceFromAttributes({ 'service.name': 'sallyport', 'service.version': version, 'service.instance.id': randomUUID() })
}

/** Waits for the end, but not for long, and not for its success. */
export async function closeInTime(close: () => Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, closeMsMax)
  await Promise.race([close().catch(() => undefined), late])
  clearTimeout(timer)
}
