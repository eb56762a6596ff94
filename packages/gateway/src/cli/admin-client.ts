import { request } from 'node:http'
import { parseProblemDocument, type ProblemDocument } from '@sallyport/contract'

export const adminAnswerBytesMax = 16 * 1024 * 1024
const deadlineMs = 30_000

export type AdminAnswer =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly problem: ProblemDocument }
  /** `code`: of the system, such as ENOENT where no gateway has ever run. */
  | { readonly kind: 'unreachable'; readonly code: string | undefined }

/** Asks the running gateway of this folder for one act. */
export async function askGateway(socketPath: string, act: string, input: object): Promise<AdminAnswer> {
  return new Promise((resolve) => {
    const unreachable = (error?: unknown): void =>
      resolve({ kind: 'unreachable', code: error instanceof Error && 'code' in error ? String(error.code) : undefined })
    const sent = request(
      { socketPath, agent: false, path: `/v1/${act}`, method: 'POST', headers: { host: 'sallyport', 'content-type': 'application/json' }, timeout: deadlineMs },
      (answer) => {
        const pieces: Buffer[] = []
        let length = 0
        answer.on('data', (piece: Buffer) => {
          length += piece.length
          if (length > adminAnswerBytesMax) answer.destroy()
          else pieces.push(piece)
        })
        answer.on('error', unreachable)
        answer.on('end', () => {
          try {
            const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
            const problem = parseProblemDocument(value)
            if (answer.statusCode === 200) resolve({ kind: 'done', value })
            else if (problem) resolve({ kind: 'refused', problem })
            else unreachable()
          } catch {
            unreachable()
          }
        })
      },
    )
    sent.on('timeout', () => sent.destroy())
    sent.on('error', unreachable)
    sent.end(JSON.stringify(input))
  })
}
