/** Writes docs/events.md anew, after a change of the events: `npm run docs:events`. */
import { writeFileSync } from 'node:fs'
import { eventPage } from './event-page.ts'

writeFileSync('docs/events.md', eventPage())
