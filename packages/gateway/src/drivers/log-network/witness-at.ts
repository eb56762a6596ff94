import { parseDecimal, toBase64, type CosignerKey } from '@sallyport/contract/log'
import type { WitnessPort } from '../../audit/witness-port.ts'
import { HttpPlace } from './http-exchange.ts'

export const remoteWitnessLimits = { deadlineMs: 5_000, answerBytes: 65_536, reasonCharacters: 200 } as const

/** A witness at its submission prefix, `http:` or `https:`: what it gives is signed, and what it is given is public. @see https://c2sp.org/tlog-witness */
export function witnessAt(key: CosignerKey, url: string): WitnessPort {
  const place = new HttpPlace(url, 1)
  const { deadlineMs, answerBytes, reasonCharacters } = remoteWitnessLimits
  return {
    key,
    url,
    submit: async (oldSize, proof, checkpoint) => {
      const body = [`old ${oldSize}`, ...proof.map(toBase64), '', checkpoint].join('\n')
      const answer = await place.ask('add-checkpoint', { deadlineMs, answerBytesMax: answerBytes }, body)
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(answer.body)
      if (answer.status === 200) return { kind: 'cosigned', lines: text }
      const size = answer.status === 409 && answer.type === 'text/x.tlog.size' && text.endsWith('\n') ? parseDecimal(text.slice(0, -1)) : undefined
      if (size !== undefined) return { kind: 'knows', size }
      return { kind: 'refused', status: answer.status, reason: text.trim().slice(0, reasonCharacters).toWellFormed() }
    },
    close: () => place.close(),
  }
}
