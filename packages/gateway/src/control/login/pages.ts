import { problems, type Problem } from '@sallyport/contract'
import type { LoginView } from './logins.ts'

/** The first page: whom the login is for, and who asked. Nothing has happened yet. */
export function confirmPage(view: LoginView, action: string, form: string): string {
  return page(
    'Log in for an agent',
    `<p>${asker(view)} asks you to log in at ${strong(view.issuer)}, so that ${view.program ? 'it' : 'an agent'} can act for you.</p>
${facts(view)}
<p>Go on only if you ${view.program ? 'have just started this login in that program yourself' : 'know this agent and expected this request'}.</p>
<form method="post" action="${escape(action)}"><input type="hidden" name="form" value="${escape(form)}"><button>Log in at ${escape(view.provider)}</button></form>`,
  )
}

/** The last page before the agent gets anything: whose account it is. */
export function finishPage(view: LoginView, account: { readonly subject: string; readonly called: readonly string[] }, action: string, form: string): string {
  return page(
    'Let the agent act for you?',
    `<p>You are logged in as ${[...account.called, account.subject].map(strong).join(', ')}.</p>
${facts(view)}
<form method="post" action="${escape(action)}"><input type="hidden" name="form" value="${escape(form)}">
<button name="answer" value="yes">Let ${escape(view.program ? view.program.host : `${view.tenant}/${view.agent}`)} act for me</button>
<button name="answer" value="no">No</button></form>`,
  )
}

export function donePage(view: LoginView): string {
  return page('Done', `<p>${strong(`${view.tenant}/${view.agent}`)} can take up its session now. You can close this page.</p>`)
}

/** Every refusal: what happened, what to do, and a code to ask about. */
export function problemPage({ code, detail }: Problem): string {
  return page(problems[code].title, `${detail === undefined ? '' : `<p>${escape(detail)}</p>`}<p>Code: <code>${code}</code></p>`)
}

/** A program's own name proves nothing: it goes by its host. */
function asker({ program, person = '' }: LoginView): string {
  return program ? `A program of ${strong(program.host)}` : strong(person)
}

function facts(view: LoginView): string {
  const { program, person } = view
  const rows = [
    ...(program
      ? [
          ['Program', program.host],
          ['It calls itself', program.name ?? 'nothing'],
          ['Its document', program.client.id],
          ['It gets access to', program.client.resource],
          ['The answer goes to', program.answersTo],
        ]
      : []),
    [program ? 'Through agent' : 'Agent', `${view.tenant}/${view.agent}`],
    ['Identity', view.spiffeId],
    ...(person === undefined ? [] : [['Asked by', person]]),
    ['Identity provider', view.issuer],
    ['It may ask for', view.scopes.join(' ')],
  ]
  return `<table>${rows.map(([name = '', value = '']) => `<tr><th>${escape(name)}</th><td>${escape(value)}</td></tr>`).join('')}</table>`
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)} - Sallyport</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}th{text-align:left;padding-right:1rem;vertical-align:top}td{overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1rem}</style>
</head><body><h1>${escape(title)}</h1>
${body}
</body></html>
`
}

const strong = (text: string): string => `<strong>${escape(text)}</strong>`

/** What turns or hides the text around it shows as what it is: a name must look like no other. @see Unicode Technical Report 36 section 2.10 */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

function escape(text: string): string {
  const shown = text.replaceAll(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
  return shown.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
