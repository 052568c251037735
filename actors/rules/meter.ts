/**
 * Counts the work of a condition and stops it. These functions are not for authors of rules: the walk of `rewriting.ts`
 * writes them into a condition wherever the work depends on the size of the facts.
 */
import { EvaluationError } from '@marcbachmann/cel-js'
import { CHARS_PER_STEP } from './limits.js'

export interface Meter {
  spent: number
  max: number
}

/** Thrown again and again by a loop that goes on after faults, so it is made once. */
const OVERSPENT = new EvaluationError('too many steps')
const NO_SCALAR = new EvaluationError('lists and maps cannot be compared or searched for; use all or exists')
const NO_NUMBER = new EvaluationError('the operator + adds numbers only')

export function meterFunctions(meter: Meter): [signature: string, handler: (...args: never[]) => unknown][] {
  const spend = (steps: number): void => {
    meter.spent += steps
    if (meter.spent > meter.max) throw OVERSPENT
  }
  const read = (value: unknown): void => {
    if (typeof value === 'string') spend(Math.ceil(value.length / CHARS_PER_STEP))
  }
  return [
    // Pays for a loop, or a search, over all elements before it begins.
    [
      'counted(A, int): A',
      (value: unknown, stepsPerElement: bigint): unknown => {
        spend(sizeOf(value) * Number(stepsPerElement))
        return value
      },
    ],
    // Pays for reading a text.
    [
      'measured(A): A',
      (value: unknown): unknown => {
        read(value)
        return value
      },
    ],
    // Comparing two lists or maps would be a loop that nobody counts.
    [
      'scalar(A): A',
      (value: unknown): unknown => {
        if (typeof value === 'object' && value !== null) throw NO_SCALAR
        read(value)
        return value
      },
    ],
    // Texts and lists that are joined again and again would grow without bound.
    [
      'number(A): A',
      (value: unknown): unknown => {
        if (typeof value !== 'bigint' && typeof value !== 'number') throw NO_NUMBER
        return value
      },
    ],
    ['known(dyn): bool', (): boolean => true],
    [
      'asciiLower(string): string',
      (text: string): string => {
        read(text)
        return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      },
    ],
    [
      'asciiUpper(string): string',
      (text: string): string => {
        read(text)
        return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
      },
    ],
  ]
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length
  return value instanceof Map ? value.size : 0
}
