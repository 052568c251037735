/**
 * XState's own answers, remembered. Each of the project's machines is pure and has no context, so what it does is a
 * function of state and event; asking XState costs some microseconds, and asking it once for each pair is enough.
 */
import { type AnyStateMachine, initialTransition, type StateValue, transition } from 'xstate'

/** A state value as text: the names of a parallel machine's regions in their order, joined by `/`. */
export function stateText(value: StateValue): string {
  return typeof value === 'string'
    ? value
    : Object.values(value)
        .map((part) => stateText(part!))
        .join('/')
}

export class TransitionTable<E extends { type: string }> {
  private readonly known = new Map<string, Map<string, string | null>>()
  private readonly regions: readonly string[]
  readonly initial: string

  /** `keyOf` tells events apart that a guard may answer differently. */
  constructor(
    private readonly machine: AnyStateMachine,
    private readonly keyOf: (event: E) => string,
  ) {
    this.initial = stateText(initialTransition(machine)[0].value as StateValue)
    this.regions = machine.config.type === 'parallel' ? Object.keys(machine.config.states ?? {}) : []
  }

  /** The next state, or null where the event is not possible in this one. */
  next(state: string, event: E): string | null {
    let answers = this.known.get(state)
    if (!answers) {
      answers = new Map()
      this.known.set(state, answers)
    }
    const key = this.keyOf(event)
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = this.ask(state, event)
    answers.set(key, answer)
    return answer
  }

  /** What the machine itself says. */
  ask(state: string, event: E): string | null {
    const snapshot = this.machine.resolveState({ value: this.valueOf(state), context: {} })
    if (!snapshot.can(event)) return null
    const [after] = transition(this.machine, snapshot, event)
    return stateText((after as { value: StateValue }).value)
  }

  private valueOf(state: string): StateValue {
    if (this.regions.length === 0) return state
    const parts = state.split('/')
    return Object.fromEntries(this.regions.map((region, i) => [region, parts[i]!]))
  }
}
