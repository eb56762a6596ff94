import { foldCase } from '@sallyport/contract'
import { matchSegment, type TemplateSegment } from './operation-template.ts'

export interface Operation {
  readonly name: string
  readonly method: string
  /** As it was written. */
  readonly path: string
  readonly segments: readonly TemplateSegment[]
  /** Query parameters that may be repeated. */
  readonly lists: ReadonlySet<string>
}

export interface MatchedOperation {
  readonly operation: Operation
  readonly parameters: ReadonlyMap<string, string>
}

interface Node {
  readonly literals: Map<string, Node>
  /** Narrow before wide. */
  readonly parameters: { readonly segment: TemplateSegment & { readonly kind: 'parameter' }; readonly node: Node }[]
  operation: Operation | undefined
}

/** Finds the operation of a call. Of operations that cross nowhere, the first that fits in the order literal, narrow, wide is the most specific. */
export class OperationIndex {
  readonly #roots = new Map<string, Node>()
  readonly #looseRoots = new Map<string, Node>()

  constructor(operations: Iterable<Operation>) {
    for (const operation of operations) {
      insert(this.#roots, operation, operation.segments)
      insert(this.#looseRoots, operation, loosened(operation.segments))
    }
  }

  /** `segments` are percent-decoded once. Takes time proportional to the templates of the method at worst. */
  match(method: string, segments: readonly string[]): MatchedOperation | undefined {
    const root = this.#roots.get(method)
    const values: string[] = []
    const operation = root && find(root, segments, 0, values)
    if (!operation) return undefined
    const names = operation.segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : []))
    return { operation, parameters: new Map(names.map((name, index) => [name, values[index] ?? ''])) }
  }

  /** An operation whose template a path fits for servers that are careless about case, final slashes and what Windows drops; asked after `match` found none. */
  nearMiss(method: string, segments: readonly string[]): Operation | undefined {
    const root = this.#looseRoots.get(method)
    const texts = withoutFinalSlash(segments.map(loose))
    return root && find(root, texts, 0, [])
  }
}

function insert(roots: Map<string, Node>, operation: Operation, segments: readonly TemplateSegment[]): void {
  let node = roots.get(operation.method) ?? emptyNode()
  roots.set(operation.method, node)
  for (const segment of segments) node = childFor(node, segment)
  node.operation = operation
}

function loosened(segments: readonly TemplateSegment[]): readonly TemplateSegment[] {
  const texts = segments.map((segment): TemplateSegment => {
    if (segment.kind === 'literal') return { ...segment, text: loose(segment.text) }
    return { ...segment, prefix: foldCase(segment.prefix), suffix: loose(segment.suffix) }
  })
  const last = texts.at(-1)
  return last?.kind === 'literal' && last.text === '' ? texts.slice(0, -1) : texts
}

function withoutFinalSlash(texts: readonly string[]): readonly string[] {
  return texts.at(-1) === '' ? texts.slice(0, -1) : texts
}

function loose(text: string): string {
  return foldCase(text).replace(/[. ]+$/, '')
}

function emptyNode(): Node {
  return { literals: new Map(), parameters: [], operation: undefined }
}

function childFor(node: Node, segment: TemplateSegment): Node {
  if (segment.kind === 'literal') {
    const child = node.literals.get(segment.text) ?? emptyNode()
    node.literals.set(segment.text, child)
    return child
  }
  const known = node.parameters.find((other) => other.segment.prefix === segment.prefix && other.segment.suffix === segment.suffix)
  if (known) return known.node
  const child = emptyNode()
  node.parameters.push({ segment, node: child })
  node.parameters.sort((first, second) => affixLength(second.segment) - affixLength(first.segment))
  return child
}

function affixLength({ prefix, suffix }: { readonly prefix: string; readonly suffix: string }): number {
  return prefix.length + suffix.length
}

/** Leaves the parameters' values in `values`. Recursion is as deep as the template, which is bounded. */
function find(node: Node, segments: readonly string[], depth: number, values: string[]): Operation | undefined {
  const text = segments[depth]
  if (text === undefined) return node.operation
  const literal = node.literals.get(text)
  const found = literal && find(literal, segments, depth + 1, values)
  if (found) return found
  for (const { segment, node: child } of node.parameters) {
    const value = matchSegment(segment, text)
    if (value === undefined) continue
    values.push(value)
    const operation = find(child, segments, depth + 1, values)
    if (operation) return operation
    values.pop()
  }
  return undefined
}
