/**
 * The part of CEL that a condition may use. What is read is walked once, and every name, operator and call that is not in the
 * lists below is refused. The walk also writes the condition anew, with calls of the functions of `meter.ts` wherever
 * the work depends on the size of the facts:
 *
 *     lines.exists(l, l.sku == order.id)   →   counted(lines, 12).exists(l, (scalar(l.sku) == order.id))
 *
 * `counted` pays for a whole loop before it begins, so a condition that would run too long stops before it does, at the
 * same step on every replica.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import {
  CONDITION_CHARS_PER_FAULT_STEP,
  CONDITION_DEPTH_MAX,
  FAULT_CHARS_MAX,
  NESTED_LOOPS_MAX,
  STEPS_PER_FAULT,
} from './limits.js'

const FACTS: ReadonlySet<string> = new Set(['order', 'customer', 'lines', 'stock', 'time'])
const RECORD_LISTS: ReadonlySet<string> = new Set(['lines', 'stock'])
const CONVERSIONS: ReadonlySet<string> = new Set(['int', 'double', 'string', 'bool'])
const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])
const STRING_METHODS: ReadonlySet<string> = new Set([
  'startsWith',
  'endsWith',
  'contains',
  'trim',
  'indexOf',
  'lastIndexOf',
  'substring',
])
/** The library's own go beyond ASCII, by Unicode tables that differ between versions of Node. */
const ASCII_METHODS: ReadonlyMap<string, string> = new Map([
  ['lowerAscii', 'asciiLower'],
  ['upperAscii', 'asciiUpper'],
])
const MAY_FAIL: ReadonlySet<string> = new Set(['indexOf', 'lastIndexOf', 'substring'])
const REFUSED_CALLS: ReadonlyMap<string, string> = new Map([
  ['matches', 'a regular expression may run for ever; use startsWith, endsWith or contains'],
  ['timestamp', 'use time.ms, time.hour, time.weekday or time.date'],
  ['duration', 'use time.ms, time.hour, time.weekday or time.date'],
  ['bind', 'write the value where it is used'],
  ['dyn', 'use int, double, string or bool'],
])

const INT_MAX = 9_223_372_036_854_775_807n

/** Steps of a call of a function of the meter. */
const METER_STEPS = 4

export class Rewriting {
  readonly faults: string[] = []
  #depth = 0
  #loops = 0
  /** Loop variables, and whether each is a line or a stock entry, whose declared fields cannot be missing. */
  readonly #variables = new Map<string, boolean>()
  readonly #faultSteps: number
  /** Steps of what was written since it was last set to 0. */
  steps = 0

  constructor(text: string) {
    this.#faultSteps = STEPS_PER_FAULT + Math.ceil(text.length / CONDITION_CHARS_PER_FAULT_STEP)
  }

  write(node: ASTNode): string {
    if (this.#depth >= CONDITION_DEPTH_MAX) {
      return this.#refuse(`The condition is nested deeper than ${CONDITION_DEPTH_MAX} levels; make two rules of it.`)
    }
    this.#depth++
    this.steps++
    const text = this.#writeNode(node)
    this.#depth--
    return text
  }

  #refuse(fault: string): string {
    if (!this.faults.includes(fault)) this.faults.push(fault)
    return 'true'
  }

  #writeNode(node: ASTNode): string {
    switch (node.op) {
      case 'value':
        return this.#literal(node.args)
      case 'id':
        return this.#name(node.args)
      case '.':
        if (!this.#isRecord(node.args[0])) this.steps += this.#faultSteps
        return `${this.write(node.args[0])}.${node.args[1]}`
      case '[]':
        this.steps += this.#faultSteps
        return `${this.write(node.args[0])}[${this.write(node.args[1])}]`
      case 'list':
        return `[${node.args.map((element) => this.write(element)).join(', ')}]`
      case '?:': {
        const [condition, left, right] = node.args
        return `(${this.write(condition)} ? ${this.write(left)} : ${this.write(right)})`
      }
      case '||':
      case '&&': {
        // The left operand of a chain needs no brackets, and would have as many as the chain is long.
        const left = this.write(node.args[0])
        const chained = node.args[0].op === node.op ? left.slice(1, -1) : left
        return `(${chained} ${node.op} ${this.write(node.args[1])})`
      }
      case '!_':
      case '-_':
        return `(${node.op[0]}${this.write(node.args)})`
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=': {
        const [left, right] = node.args
        const guarded = isLiteral(left) || isLiteral(right) ? this.write(left) : this.#metered('scalar', left)
        return `(${guarded} ${node.op} ${this.write(right)})`
      }
      case 'in': {
        const [left, right] = node.args
        const value = isLiteral(left) ? this.write(left) : this.#metered('scalar', left)
        if (right.op === 'list') return `(${value} in ${this.write(right)})`
        this.steps += METER_STEPS
        return `(${value} in counted(${this.write(right)}, 1))`
      }
      case '+': {
        this.steps += this.#faultSteps
        const [left, right] = node.args
        if (isJoined(left)) return this.#refuse('The operator + adds numbers only; texts and lists cannot be joined.')
        const number = isNumber(left) || isNumber(right) ? this.write(left) : this.#metered('number', left)
        return `(${number} + ${this.write(right)})`
      }
      case '-':
      case '*':
      case '/':
      case '%':
        this.steps += this.#faultSteps
        return `(${this.write(node.args[0])} ${node.op} ${this.write(node.args[1])})`
      case 'call':
        return this.#call(node.args[0], node.args[1])
      case 'rcall':
        return this.#method(node.args[0], node.args[1], node.args[2])
      case 'map':
        return this.#refuse('A condition cannot make a map with { }; compare the values one by one.')
      default:
        return this.#refuse(`A condition cannot use ${node.op}.`)
    }
  }

  #literal(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return quoted(value)
      case 'boolean':
        return String(value)
      case 'bigint':
        return value > INT_MAX ? this.#refuse(`The number ${clipped(String(value))} is too large.`) : String(value)
      case 'number': {
        const digits = String(value)
        return /[.e]/.test(digits) ? digits : `${digits}.0`
      }
      default:
        if (value === null) return 'null'
        return this.#refuse('A condition cannot use bytes (b"…") or unsigned numbers (1u).')
    }
  }

  #name(name: string): string {
    const isRecord = this.#variables.get(name)
    if (isRecord === false) this.steps += this.#faultSteps
    if (isRecord !== undefined || FACTS.has(name)) return name
    return this.#refuse(`There is no ${clipped(name)}; a condition knows order, customer, lines, stock and time.`)
  }

  #isRecord(node: ASTNode): boolean {
    return node.op === 'id' && (this.#variables.get(node.args) ?? FACTS.has(node.args))
  }

  #metered(meter: string, node: ASTNode): string {
    this.steps += METER_STEPS
    return `${meter}(${this.write(node)})`
  }

  #call(name: string, args: ASTNode[]): string {
    const [arg] = args
    if (name === 'has' && arg !== undefined) return this.#has(arg)
    if (name === 'size' && arg !== undefined && args.length === 1) return `size(${this.#metered('measured', arg)})`
    if (CONVERSIONS.has(name) && arg !== undefined && args.length === 1) {
      this.steps += this.#faultSteps
      return `${name}(${this.#metered('scalar', arg)})`
    }
    return this.#refuseCall(name)
  }

  /** `has` looks at its argument only when it runs; `known` is never called, and makes the field's name be checked. */
  #has(arg: ASTNode): string {
    let root: ASTNode = arg
    while (root.op === '.') root = root.args[0]
    if (arg.op !== '.' || root.op !== 'id') {
      return this.#refuse('has() takes a field, such as has(line.attributes.frozen); for another key use "key" in map.')
    }
    const field = this.write(arg)
    return `(has(${field}) && (true || known(${field})))`
  }

  #method(name: string, receiver: ASTNode, args: ASTNode[]): string {
    if (LOOPS.has(name)) return this.#loop(name, receiver, args)
    if (name === 'size' && args.length === 0) return `${this.#metered('measured', receiver)}.size()`
    const ascii = ASCII_METHODS.get(name)
    if (ascii !== undefined && args.length === 0) return this.#metered(ascii, receiver)
    if (!STRING_METHODS.has(name)) return this.#refuseCall(name)
    if (MAY_FAIL.has(name)) this.steps += this.#faultSteps
    const text = isLiteral(receiver) ? this.write(receiver) : this.#metered('measured', receiver)
    return `${text}.${name}(${args.map((arg) => this.write(arg)).join(', ')})`
  }

  #loop(name: string, receiver: ASTNode, args: ASTNode[]): string {
    const [variable, ...body] = args
    if (variable?.op !== 'id' || body.length === 0 || body.length > (name === 'map' ? 2 : 1)) {
      return this.#refuse(`${name} takes a name and a condition, such as lines.exists(line, line.quantity > 1).`)
    }
    const loopName = variable.args
    if (FACTS.has(loopName) || this.#variables.has(loopName)) {
      return this.#refuse(`The loop variable ${clipped(loopName)} already means something else; choose another name.`)
    }
    const list = this.write(receiver)
    if (this.#loops >= NESTED_LOOPS_MAX) {
      return this.#refuse(`Loops (all, exists, filter, map …) may be nested ${NESTED_LOOPS_MAX} deep, not deeper.`)
    }
    const before = this.steps + METER_STEPS
    this.steps = 0
    this.#loops++
    this.#variables.set(loopName, isRecordList(receiver))
    const written = body.map((part) => this.write(part)).join(', ')
    this.#variables.delete(loopName)
    this.#loops--
    const perElement = this.steps + 1
    this.steps = before
    return `counted(${list}, ${perElement}).${name}(${loopName}, ${written})`
  }

  #refuseCall(name: string): string {
    const why =
      REFUSED_CALLS.get(name) ??
      (name.startsWith('get') ? REFUSED_CALLS.get('timestamp') : undefined) ??
      'it is not known'
    return this.#refuse(`A condition cannot call ${clipped(name)}: ${why}.`)
  }
}

const isLiteral = (node: ASTNode): boolean => node.op === 'value' || (node.op === '-_' && node.args.op === 'value')

const isNumber = (node: ASTNode): boolean =>
  node.op === 'value'
    ? typeof node.args === 'bigint' || typeof node.args === 'number'
    : node.op === '-_' && isNumber(node.args)

/** Whether it is known, before it runs, to be a text or a list. */
function isJoined(node: ASTNode): boolean {
  // The library keeps what its check found here, undeclared. Without it, only the run refuses: see `number`.
  const { checkedType } = node as { checkedType?: { kind: string; name: string } }
  return checkedType?.kind === 'list' || checkedType?.name === 'string'
}

/** The lines or the stock, as they are or filtered. */
function isRecordList(node: ASTNode): boolean {
  if (node.op === 'id') return RECORD_LISTS.has(node.args)
  return node.op === 'rcall' && node.args[0] === 'filter' && isRecordList(node.args[1])
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r' }
const quoted = (text: string): string => `"${text.replace(/[\\"\n\r]/g, (found) => ESCAPES[found] ?? found)}"`

/** A text that somebody else wrote, as it may stand in a fault. */
export const clipped = (text: string): string =>
  text.length > FAULT_CHARS_MAX ? `${text.slice(0, FAULT_CHARS_MAX)}…` : text
