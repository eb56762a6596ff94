/** Plants each mutant and shows whether the simulation catches it: `npm run mutants`, or some of them by name. */
import { plant } from './mutate.ts'
import { mutants } from './mutants.ts'

const named = process.argv.slice(2)
const chosen = mutants.filter(({ name }) => named.length === 0 || named.includes(name))
if (chosen.length === 0) throw new RangeError('no such mutant')
let survivors = 0
for (const mutant of chosen) {
  const { isCaught, by } = await plant(mutant)
  if (!isCaught) survivors += 1
  process.stdout.write(`${isCaught ? 'caught  ' : 'SURVIVES'} ${mutant.name}: ${mutant.mistake}\n           ${by}\n`)
}
process.stdout.write(`${chosen.length - survivors} of ${chosen.length} caught\n`)
process.exit(survivors === 0 ? 0 : 1)
