import { suggest } from '../../suggest.ts'
import type { Detector } from './detector.ts'
import { keyDetectors } from './key-detectors.ts'
import { personalDetectors } from './personal-detectors.ts'
import { tokenDetectors } from './token-detectors.ts'

/** Everything that can be found, in the order in which `docs/dlp.md` explains it. */
export const detectors: readonly Detector[] = [...tokenDetectors, ...keyDetectors, ...personalDetectors]

const byName = new Map<string, readonly Detector[]>([
  ...detectors.map((one) => [one.name, [one]] as const),
  ...(['secret', 'personal'] as const).map((group) => [group, detectors.filter((one) => one.group === group && !one.isByNameOnly)] as const),
])

/** The detectors that a name stands for: one, or those of a group; undefined when it stands for none. Names are compared exactly. */
export function detectorsNamed(name: string): readonly Detector[] | undefined {
  return byName.get(name)
}

/** What may have been meant by a name that stands for nothing. */
export function suggestDetector(name: string): string {
  return suggest(name, byName.keys()) ?? `groups are secret and personal; docs/dlp.md lists the names in them`
}
