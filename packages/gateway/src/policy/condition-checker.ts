import { isCelType, type celEnv } from '@bufbuild/cel'
import { suggest } from '../suggest.ts'
import { detectorsNamed, suggestDetector } from './detect/catalog.ts'
import { patternFault, variables, type Expression } from './condition-language.ts'

/** Most parts (operators, names, literals, calls) of one expression. */
export const partsMax = 512

export interface ConditionFault {
  /** UTF-16 units from the start of the expression. */
  readonly offset: number
  readonly message: string
  readonly hint?: string
}

/** A type as far as it is known without a call; `dyn` is anything. */
type StaticType = string

const typeNames = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type'])
const macros = ['all', 'exists', 'exists_one', 'filter', 'map']

/** Everything that is wrong with an expression, besides its syntax. */
export function checkCondition(
  environment: ReturnType<typeof celEnv>,
  expression: Expression,
  positions: Readonly<Record<string, number>>,
): readonly ConditionFault[] {
  const checker = new Checker(environment, positions)
  const type = checker.typeOf(expression, new Set(), false)
  if (checker.faults.length === 0 && type !== 'bool' && type !== 'dyn') {
    checker.complain(expression, `a condition is true or false, this is of type ${type}`, 'compare it with something')
  }
  return checker.faults
}

class Checker {
  readonly faults: ConditionFault[] = []
  readonly #overloads: ReadonlyMap<string, readonly Overload[]>
  readonly #positions: Readonly<Record<string, number>>
  #parts = 0

  constructor(environment: ReturnType<typeof celEnv>, positions: Readonly<Record<string, number>>) {
    this.#overloads = overloadsOf(environment)
    this.#positions = positions
  }

  complain(at: Expression, message: string, hint?: string): StaticType {
    this.faults.push({ offset: this.#positions[at.id.toString()] ?? 0, message, ...(hint !== undefined && { hint }) })
    return 'dyn'
  }

  typeOf(expression: Expression, bound: ReadonlySet<string>, inComprehension: boolean): StaticType {
    this.#parts += 1
    if (this.#parts === partsMax + 1) this.complain(expression, `the expression has more than ${partsMax} parts`, 'split it into several rules')
    if (this.#parts > partsMax) return 'dyn'
    const { exprKind } = expression
    switch (exprKind.case) {
      case 'constExpr':
        return constantTypes[exprKind.value.constantKind.case ?? 'nullValue'] ?? 'dyn'
      case 'identExpr':
        return this.#identifier(expression, exprKind.value.name, bound)
      case 'selectExpr': {
        const { operand, field, testOnly } = exprKind.value
        if (!operand) return 'dyn'
        const known = this.#member(expression, operand, field, bound)
        const type = this.typeOf(operand, bound, inComprehension)
        if (!known && type !== 'dyn' && type !== 'map') return this.complain(expression, `a value of type ${type} has no member '${field}'`)
        return testOnly ? 'bool' : (known ?? 'dyn')
      }
      case 'callExpr':
        return this.#call(expression, exprKind.value, bound, inComprehension)
      case 'listExpr':
        for (const element of exprKind.value.elements) this.typeOf(element, bound, inComprehension)
        return 'list'
      case 'structExpr': {
        if (exprKind.value.messageName !== '') return this.complain(expression, 'messages cannot be made here', 'use a map, a list or a plain value')
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') this.typeOf(keyKind.value, bound, inComprehension)
          if (value) this.typeOf(value, bound, inComprehension)
        }
        return 'map'
      }
      case 'comprehensionExpr': {
        if (inComprehension)
          return this.complain(expression, `${macros.join(', ')} cannot be nested`, 'its cost would multiply; split the condition or the rule')
        const { iterVar, accuVar, iterRange, accuInit, loopStep, loopCondition, result } = exprKind.value
        const inner = new Set([...bound, iterVar, accuVar])
        if (iterRange) {
          const range = this.typeOf(iterRange, bound, true)
          if (range !== 'dyn' && range !== 'list' && range !== 'map') this.complain(iterRange, `a value of type ${range} has no elements`)
        }
        const kind = accuInit ? this.typeOf(accuInit, bound, true) : 'dyn'
        for (const part of [loopCondition, loopStep, result]) if (part) this.typeOf(part, inner, true)
        return kind === 'int' ? 'bool' : kind
      }
      default:
        return this.complain(expression, 'this kind of expression is not supported')
    }
  }

  #identifier(expression: Expression, name: string, bound: ReadonlySet<string>): StaticType {
    if (bound.has(name)) return 'dyn'
    if (typeNames.has(name)) return 'type'
    if (isVariable(name)) return typeof variables[name] === 'string' ? variables[name] : name === 'args' ? 'dyn' : 'map'
    return this.complain(
      expression,
      `unknown name '${name}'`,
      suggest(name, Object.keys(variables)) ?? `a condition knows ${Object.keys(variables).join(', ')}`,
    )
  }

  /** The type of a member that is known beforehand, such as `context.method`. */
  #member(expression: Expression, operand: Expression, field: string, bound: ReadonlySet<string>): StaticType | undefined {
    const { exprKind } = operand
    if (exprKind.case !== 'identExpr' || bound.has(exprKind.value.name) || !isVariable(exprKind.value.name)) return undefined
    const members: Readonly<Record<string, string>> | string | undefined = variables[exprKind.value.name]
    if (typeof members !== 'object') return undefined
    const type = Object.hasOwn(members, field) ? members[field] : undefined
    const where = exprKind.value.name
    return (
      type ??
      this.complain(expression, `${where} has no member '${field}'`, suggest(field, Object.keys(members)) ?? `${where} has ${Object.keys(members).join(', ')}`)
    )
  }

  #call(expression: Expression, call: CallExpression, bound: ReadonlySet<string>, inComprehension: boolean): StaticType {
    const target = call.target && this.typeOf(call.target, bound, inComprehension)
    const args = call.args.map((argument) => this.typeOf(argument, bound, inComprehension))
    switch (call.function) {
      case '_&&_':
      case '_||_':
        for (const [index, type] of args.entries()) this.#mustBeBool(call.args[index], type)
        return 'bool'
      case '@not_strictly_false':
        return 'bool'
      case '_?_:_':
        this.#mustBeBool(call.args[0], args[0])
        return args[1] === args[2] ? (args[1] ?? 'dyn') : 'dyn'
      case '_[_]':
        return args[0] === 'dyn' || args[0] === 'list' || args[0] === 'map' ? 'dyn' : this.complain(expression, `a value of type ${args[0]} has no elements`)
      case 'has':
        return this.complain(expression, 'has(…) takes a member', 'write has(args.amount)')
      case 'matches':
        this.#checkPattern(call)
        break
      case 'detects':
        this.#checkDetector(call)
        break
    }
    return this.#overload(expression, call.function, target, args)
  }

  #mustBeBool(part: Expression | undefined, type: StaticType | undefined): void {
    if (part && type !== 'bool' && type !== 'dyn') this.complain(part, `true or false is needed here, this is of type ${type}`)
  }

  #checkPattern({ args }: CallExpression): void {
    const [pattern] = args
    if (!pattern || args.length !== 1) return
    const { exprKind } = pattern
    // A pattern out of the call would let the agent choose the work, and with an invalid one the decision.
    if (exprKind.case !== 'constExpr' || exprKind.value.constantKind.case !== 'stringValue') {
      this.complain(pattern, 'the regular expression must be written out', 'use contains, startsWith or == to compare with a value of the call')
      return
    }
    const fault = patternFault(exprKind.value.constantKind.value)
    if (fault !== undefined) this.complain(pattern, fault, 'the syntax is that of RE2: no look-around, no back references')
  }

  #checkDetector({ args }: CallExpression): void {
    const [, detector] = args
    if (!detector || args.length !== 2) return
    const { exprKind } = detector
    // Out of the call it could be one that finds nothing.
    if (exprKind.case !== 'constExpr' || exprKind.value.constantKind.case !== 'stringValue') {
      this.complain(detector, 'the detector must be written out', 'such as detects(args, "secret")')
      return
    }
    const { value } = exprKind.value.constantKind
    if (!detectorsNamed(value)) this.complain(detector, `there is no detector '${value}'`, suggestDetector(value))
  }

  #overload(expression: Expression, name: string, target: StaticType | undefined, args: readonly StaticType[]): StaticType {
    const all = this.#overloads.get(name)
    if (!all) {
      const callable = [...this.#overloads.keys(), ...macros, 'has'].filter((known) => /^[a-z]/i.test(known))
      return this.complain(expression, `unknown function '${name}'`, suggest(name, callable))
    }
    const fitting = all.filter((overload) => fits(overload, target, args))
    if (fitting.length === 0) {
      const given = `${target === undefined ? '' : `${target}.`}${displayName(name)}(${args.join(', ')})`
      return this.complain(expression, `no form of ${displayName(name)} takes these types: ${given}`, numberHint(args))
    }
    const [first] = fitting
    return first && fitting.every(({ result }) => result === first.result) ? first.result : 'dyn'
  }
}

type CallExpression = Extract<Expression['exprKind'], { case: 'callExpr' }>['value']

interface Overload {
  readonly target: StaticType | undefined
  readonly args: readonly StaticType[]
  readonly result: StaticType
}

function overloadsOf(environment: ReturnType<typeof celEnv>): ReadonlyMap<string, readonly Overload[]> {
  const overloads = new Map<string, Overload[]>()
  for (const { name, target, arguments: args, result } of environment.funcs) {
    const overload = { target: target && typeName(target), args: args.map(typeName), result: typeName(result) }
    overloads.set(name, [...(overloads.get(name) ?? []), overload])
  }
  return overloads
}

function typeName(type: { readonly name: string }): StaticType {
  if (!isCelType(type)) throw new TypeError('not a type of CEL')
  return type.name
}

function fits(overload: Overload, target: StaticType | undefined, args: readonly StaticType[]): boolean {
  if ((overload.target === undefined) !== (target === undefined) || overload.args.length !== args.length) return false
  const same = (wanted: StaticType | undefined, given: StaticType | undefined): boolean => wanted === given || wanted === 'dyn' || given === 'dyn'
  return same(overload.target, target) && overload.args.every((wanted, index) => same(wanted, args[index]))
}

function displayName(name: string): string {
  return name === '@in' ? 'in' : name.replace(/^_?(.*?)_?$/, '$1')
}

function numberHint(args: readonly StaticType[]): string | undefined {
  return args.includes('int') && args.includes('double') ? 'write the literal as a double, such as 1.0' : undefined
}

function isVariable(name: string): name is keyof typeof variables {
  return Object.hasOwn(variables, name)
}

const constantTypes: Readonly<Record<string, StaticType>> = {
  boolValue: 'bool',
  bytesValue: 'bytes',
  doubleValue: 'double',
  int64Value: 'int',
  nullValue: 'null_type',
  stringValue: 'string',
  uint64Value: 'uint',
}
