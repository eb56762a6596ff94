import type { Operation } from './operation-index.ts'
import { matchSegment, relate, relateSegments, type TemplateSegment } from './operation-template.ts'

type Parameter = TemplateSegment & { readonly kind: 'parameter' }

/** Templates that were seen, by their segments. */
interface Branch<Item> {
  readonly literals: Map<string, Branch<Item>>
  readonly parameters: { readonly segment: Parameter; readonly branch: Branch<Item> }[]
  item: Item | undefined
}

interface HasOperation {
  readonly operation: Operation
}

export interface Crossings<Item> {
  readonly pairs: readonly (readonly [earlier: Item, later: Item])[]
  /** False when so many templates share their places that not all were compared. */
  readonly isComplete: boolean
}

/** Segments compared for one upstream: a tenth of a second, since a configuration is read while the gateway serves. */
const comparisonsMax = 2_000_000

/** Pairs of operations that fit one path, neither more specific than the other; at most `pairsMax`. Only templates that meet are compared. */
export function findCrossings<Item extends HasOperation>(items: Iterable<Item>, pairsMax: number): Crossings<Item> {
  const roots = new Map<string, Branch<Item>>()
  const pairs: (readonly [Item, Item])[] = []
  const spent: Spent = { comparisons: 0 }
  for (const item of items) {
    const { method, segments } = item.operation
    const root = roots.get(method) ?? emptyBranch()
    roots.set(method, root)
    for (const earlier of meeting(root, segments, 0, spent)) {
      const relation = relate(earlier.operation.segments, segments)
      if (relation === 'crossing' || relation === 'same') pairs.push([earlier, item])
      if (pairs.length >= pairsMax) return { pairs, isComplete: true }
    }
    if (spent.comparisons > comparisonsMax) return { pairs, isComplete: false }
    insert(root, item)
  }
  return { pairs, isComplete: true }
}

interface Spent {
  comparisons: number
}

/** The same text for templates that fit the same paths. */
export function shapeOf({ method, segments }: Operation): string {
  return JSON.stringify([method, ...segments.map((segment) => (segment.kind === 'literal' ? segment.text : [segment.prefix, segment.suffix]))])
}

function emptyBranch<Item>(): Branch<Item> {
  return { literals: new Map(), parameters: [], item: undefined }
}

function insert<Item extends HasOperation>(root: Branch<Item>, item: Item): void {
  let branch = root
  for (const segment of item.operation.segments) branch = below(branch, segment)
  branch.item ??= item
}

function below<Item>(branch: Branch<Item>, segment: TemplateSegment): Branch<Item> {
  const known =
    segment.kind === 'literal'
      ? branch.literals.get(segment.text)
      : branch.parameters.find(({ segment: { prefix, suffix } }) => prefix === segment.prefix && suffix === segment.suffix)?.branch
  if (known) return known
  const made = emptyBranch<Item>()
  if (segment.kind === 'literal') branch.literals.set(segment.text, made)
  else branch.parameters.push({ segment, branch: made })
  return made
}

/** What was inserted and fits some path that `segments` fit. Recursion is as deep as the template, which is bounded. */
function* meeting<Item>(branch: Branch<Item>, segments: readonly TemplateSegment[], depth: number, spent: Spent): Generator<Item> {
  const segment = segments[depth]
  if (!segment) {
    if (branch.item) yield branch.item
    return
  }
  spent.comparisons += branch.parameters.length + (segment.kind === 'literal' ? 1 : branch.literals.size)
  if (segment.kind === 'literal') {
    const same = branch.literals.get(segment.text)
    if (same) yield* meeting(same, segments, depth + 1, spent)
  } else {
    for (const [text, next] of branch.literals) if (matchSegment(segment, text) !== undefined) yield* meeting(next, segments, depth + 1, spent)
  }
  for (const other of branch.parameters) if (relateSegments(other.segment, segment) !== 'disjoint') yield* meeting(other.branch, segments, depth + 1, spent)
}
