import { Fault } from '@sallyport/contract'
import type { Seal } from '../../control/sessions/sealed-texts.ts'
import { openRecord, sealingKeyBytes, sealRecord } from './sealed-record.ts'

/** Seals texts under one key of the gateway. `key` is 32 bytes, kept apart from what it seals. */
export function recordSeal(key: Uint8Array, randomBytes: (length: number) => Uint8Array): Seal {
  if (key.length !== sealingKeyBytes) throw new TypeError(`the sealing key has ${sealingKeyBytes} bytes`)
  return {
    seal: (boundTo, text) => sealRecord(key, randomBytes, boundTo, text),
    open: (boundTo, sealed) => {
      try {
        return openRecord(key, boundTo, sealed)
      } catch (error) {
        throw new Fault(`${boundTo} does not open: its record was altered, or the sealing key is another`, 'not-done', error)
      }
    },
  }
}
