import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileGlob } from '../../policy/glob.ts'
import { ClientDocuments, documentRefusedMs, documentsFetchedMax, documentsOfAgentMax } from './client-documents.ts'

const host = 'https://program.example'

function stand() {
  const asked: string[] = []
  const waiting: ((answer: Response) => void)[] = []
  let nowMs = 0
  const documents = new ClientDocuments({
    http: {
      fetch: async (url) => {
        asked.push(url)
        return new Promise((resolve) => waiting.push(resolve))
      },
      close: async () => undefined,
    },
    definition: { hosts: [compileGlob('*')] },
    now: () => nowMs,
  })
  return {
    asked,
    documents,
    answerAll: (status: number) =>
      waiting.splice(0).forEach((answer) => answer(new Response('{}', { status, headers: { 'content-type': 'application/json' } }))),
    pass: (ms: number) => void (nowMs += ms),
  }
}

const codeOf = async (answer: ReturnType<ClientDocuments['read']>): Promise<string> => {
  const found = await answer
  return 'problem' in found ? found.problem.code : 'found'
}

test('documents that do not come hold up the agent alone through which they were asked for', async () => {
  const { documents, answerAll } = stand()
  const own = Array.from({ length: documentsOfAgentMax }, (_, at) => codeOf(documents.read(`${host}/${at}`, 'bot')))
  assert.equal(await codeOf(documents.read(`${host}/more`, 'bot')), 'edge.overloaded')
  const others = Array.from({ length: documentsFetchedMax - documentsOfAgentMax }, (_, at) => codeOf(documents.read(`${host}/other-${at}`, `other-${at}`)))
  assert.equal(await codeOf(documents.read(`${host}/last`, 'last')), 'edge.overloaded')
  answerAll(404)
  assert.deepEqual(new Set(await Promise.all([...own, ...others])), new Set(['login.client-refused']))
})

test('a document is asked for once by however many, and one that could not be had not again for a while', async () => {
  const { asked, documents, answerAll, pass } = stand()
  const answers = Array.from({ length: 5 }, (_, at) => codeOf(documents.read(`${host}/x`, `agent-${at}`)))
  answerAll(404)
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(['login.client-refused']))
  assert.equal(await codeOf(documents.read(`${host}/x`, 'bot')), 'login.client-refused')
  assert.equal(asked.length, 1)
  pass(documentRefusedMs)
  const again = codeOf(documents.read(`${host}/x`, 'bot'))
  answerAll(404)
  assert.equal(await again, 'login.client-refused')
  assert.equal(asked.length, 2)
})
