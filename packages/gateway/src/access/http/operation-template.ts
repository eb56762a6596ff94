/** One segment of a path template, percent-decoded. `{id}` is a parameter without affixes, `report-{id}.csv` one with. */
export type TemplateSegment =
  { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'parameter'; readonly name: string; readonly prefix: string; readonly suffix: string }

export type ParsedTemplate = { readonly kind: 'invalid'; readonly message: string } | { readonly kind: 'parsed'; readonly segments: readonly TemplateSegment[] }

export const segmentsMax = 64

/** Reads a path template such as `/invoices/{id}`. A segment holds at most one parameter; names are unique. */
export function parseTemplate(path: string): ParsedTemplate {
  if (!path.startsWith('/') || /[?#\s\\;]/.test(path)) return invalid('a path starts with a slash and has no query, space, backslash or semicolon')
  const texts = path.slice(1).split('/')
  if (texts.length > segmentsMax) return invalid(`more than ${segmentsMax} segments`)
  if (texts.some((text, index) => text === '' && index < texts.length - 1)) return invalid('empty segments never match')
  const segments: TemplateSegment[] = []
  const names = new Set<string>()
  for (const text of texts) {
    const segment = parseSegment(text)
    if (!segment) return invalid(`${text} is neither text nor text around one {parameter}`)
    if (segment.kind === 'parameter' && names.size === names.add(segment.name).size) return invalid(`the parameter ${segment.name} appears twice`)
    if (segment.kind === 'literal' && /^\.{1,2}$/.test(segment.text)) return invalid('dot segments never match')
    segments.push(segment)
  }
  return { kind: 'parsed', segments }
}

function invalid(message: string): ParsedTemplate {
  return { kind: 'invalid', message }
}

function parseSegment(text: string): TemplateSegment | undefined {
  const parts = /^([^{}]*)\{([A-Za-z_][A-Za-z0-9_.-]{0,63})\}([^{}]*)$/.exec(text)
  if (parts) {
    const [prefix, suffix] = [decode(parts[1] ?? ''), decode(parts[3] ?? '')]
    return prefix === undefined || suffix === undefined ? undefined : { kind: 'parameter', name: parts[2] ?? '', prefix, suffix }
  }
  const literal = decode(text)
  return literal === undefined || /[{}]/.test(literal) ? undefined : { kind: 'literal', text: literal }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The value of the segment's parameter, `''` for a literal that fits, undefined when the segment does not fit. A parameter is never empty. */
export function matchSegment(segment: TemplateSegment, text: string): string | undefined {
  if (segment.kind === 'literal') return segment.text === text ? '' : undefined
  const { prefix, suffix } = segment
  if (text.length <= prefix.length + suffix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return undefined
  return text.slice(prefix.length, text.length - suffix.length)
}

/** How two templates relate. `crossing`: some path fits both and neither is the more specific, so which operation is meant would be a guess. */
export type Relation = 'crossing' | 'disjoint' | 'same' | 'narrower' | 'wider'

export function relate(first: readonly TemplateSegment[], second: readonly TemplateSegment[]): Relation {
  if (first.length !== second.length) return 'disjoint'
  let all: Relation = 'same'
  for (const [index, segment] of first.entries()) {
    const other = second[index]
    const relation = other ? relateSegments(segment, other) : 'disjoint'
    if (relation === 'disjoint') return 'disjoint'
    if (all === 'same') all = relation
    else if (relation !== 'same' && relation !== all) all = 'crossing'
  }
  return all
}

export function relateSegments(first: TemplateSegment, second: TemplateSegment): Relation {
  if (first.kind === 'literal' && second.kind === 'literal') return first.text === second.text ? 'same' : 'disjoint'
  if (first.kind === 'literal') return matchSegment(second, first.text) === undefined ? 'disjoint' : 'narrower'
  if (second.kind === 'literal') return matchSegment(first, second.text) === undefined ? 'disjoint' : 'wider'
  const narrower = first.prefix.startsWith(second.prefix) && first.suffix.endsWith(second.suffix)
  const wider = second.prefix.startsWith(first.prefix) && second.suffix.endsWith(first.suffix)
  if (narrower || wider) return narrower && wider ? 'same' : narrower ? 'narrower' : 'wider'
  const prefixesMeet = first.prefix.startsWith(second.prefix) || second.prefix.startsWith(first.prefix)
  const suffixesMeet = first.suffix.endsWith(second.suffix) || second.suffix.endsWith(first.suffix)
  return prefixesMeet && suffixesMeet ? 'crossing' : 'disjoint'
}
