import { matchSegment, type TemplateSegment } from './operation-template.ts'

export interface Operation {
  readonly name: string
  readonly method: string
  /** As it was written. */
  readonly path: string
  readonly segments: readonly TemplateSegment[]
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

  constructor(operations: Iterable<Operation>) {
    for (const operation of operations) this.#insert(operation)
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

  #insert(operation: Operation): void {
    let node = this.#roots.get(operation.method) ?? emptyNode()
    this.#roots.set(operation.method, node)
    for (const segment of operation.segments) node = childFor(node, segment)
    node.operation = operation
  }
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
