import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import ts from 'typescript'

/** A bound as the code states it. */
export interface LimitInCode {
  /** The constant, or `constant.member` of an object of bounds. */
  readonly name: string
  /** Below `packages`, without `src`: `gateway/edge/limits.ts`. */
  readonly file: string
  readonly value: number
}

/** A constant with such a name is a bound: `bodyBytesMax`, `secretCharactersMin`, `graceMs`, `idleMsDefault`. */
const boundName = /(?:Max|Min|Ms)(?:Default|Range)?$/
/** So are all numbers of an object with such a name, and the so named ones of any other object. */
const boundsName = /Limits$/

/** Constants that are named like bounds and are none. */
const others = new Set(['contract/configuration/fields.ts unitsMs'])

/** Every bound among the constants at the top of the product's modules, exported or not, by its value. Throws for one whose value cannot be worked out. */
export function limitsInCode(root: string): readonly LimitInCode[] {
  return globSync('packages/*/src/**/*.ts', { cwd: root, exclude: (path) => path.endsWith('.test.ts') })
    .sort()
    .flatMap((path) => limitsOf(join(root, path), nameOf(path)))
}

/** One of them. */
export function limitInCode(root: string, file: string, name: string): LimitInCode {
  const [place = '', ...rest] = file.split('/')
  const found = limitsOf(join(root, 'packages', place, 'src', ...rest), file).find((limit) => limit.name === name)
  if (!found) throw new TypeError(`${file} has no bound ${name}`)
  return found
}

function nameOf(path: string): string {
  return path
    .split(sep)
    .join('/')
    .replace(/^packages\//, '')
    .replace('/src/', '/')
}

function limitsOf(path: string, file: string): LimitInCode[] {
  return [...constantsOf(path)].flatMap(([name, expression]) => {
    if (others.has(`${file} ${name}`)) return []
    if (ts.isObjectLiteralExpression(expression)) {
      const isWhole = boundName.test(name) || boundsName.test(name)
      return membersOf(expression, path, (member) => isWhole || boundName.test(member)).map(([member, value]) => ({ name: `${name}.${member}`, file, value }))
    }
    return boundName.test(name) ? [{ name, file, value: valueOf(expression, path) }] : []
  })
}

function constantsOf(path: string): ReadonlyMap<string, ts.Expression> {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const constants = new Map<string, ts.Expression>()
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (ts.isIdentifier(name) && initializer) constants.set(name.text, withoutCast(initializer))
    }
  }
  return constants
}

function membersOf(object: ts.ObjectLiteralExpression, path: string, isWanted: (member: string) => boolean): (readonly [string, number])[] {
  return object.properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property) || !ts.isIdentifier(property.name) || !isWanted(property.name.text)) return []
    return [[property.name.text, valueOf(property.initializer, path)] as const]
  })
}

/** Numbers, their products, and constants of this module or of one that it imports them from. */
function valueOf(expression: ts.Expression, path: string): number {
  const plain = withoutCast(expression)
  if (ts.isNumericLiteral(plain)) return Number(plain.text)
  if (ts.isPropertyAccessExpression(plain) && plain.getText() === 'Number.MAX_SAFE_INTEGER') return Number.MAX_SAFE_INTEGER
  if (ts.isPropertyAccessExpression(plain) && ts.isIdentifier(plain.expression)) {
    const object = constantNamed(plain.expression, path)
    const [member] = ts.isObjectLiteralExpression(object.expression) ? membersOf(object.expression, object.path, (name) => name === plain.name.text) : []
    if (member) return member[1]
  }
  if (ts.isIdentifier(plain)) {
    const constant = constantNamed(plain, path)
    return valueOf(constant.expression, constant.path)
  }
  if (ts.isBinaryExpression(plain)) {
    const calculate = operations.get(plain.operatorToken.kind)
    if (calculate) return calculate(valueOf(plain.left, path), valueOf(plain.right, path))
  }
  throw new TypeError(`${relative('.', path)}: the value of ${plain.getText()} cannot be worked out`)
}

const operations: ReadonlyMap<ts.SyntaxKind, (one: number, other: number) => number> = new Map([
  [ts.SyntaxKind.AsteriskToken, (one, other) => one * other],
  [ts.SyntaxKind.AsteriskAsteriskToken, (one, other) => one ** other],
  [ts.SyntaxKind.SlashToken, (one, other) => one / other],
  [ts.SyntaxKind.PlusToken, (one, other) => one + other],
  [ts.SyntaxKind.MinusToken, (one, other) => one - other],
])

function constantNamed({ text }: ts.Identifier, path: string): { readonly expression: ts.Expression; readonly path: string } {
  const own = constantsOf(path).get(text)
  if (own) return { expression: own, path }
  const imported = new RegExp(`import \\{[^}]*\\b${text}\\b[^}]*\\} from '(\\.[^']+)'`).exec(readFileSync(path, 'utf8'))?.[1]
  if (imported === undefined) throw new TypeError(`${relative('.', path)}: no constant is called ${text}`)
  const elsewhere = join(dirname(path), imported)
  const expression = constantsOf(elsewhere).get(text)
  if (!expression) throw new TypeError(`${relative('.', elsewhere)}: no constant is called ${text}`)
  return { expression, path: elsewhere }
}

function withoutCast(expression: ts.Expression): ts.Expression {
  if (ts.isAsExpression(expression) || ts.isParenthesizedExpression(expression) || ts.isSatisfiesExpression(expression))
    return withoutCast(expression.expression)
  return expression
}
