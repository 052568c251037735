/** A machine as a state diagram in Mermaid's language, drawn from the machine itself. */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

export function stateDiagram(machine: AnyStateMachine): string {
  const lines = ['stateDiagram-v2']
  const { root } = machine
  if (root.type === 'parallel') {
    for (const region of Object.values(root.states)) {
      lines.push(`  state ${region.key} {`)
      drawStates(region, `${region.key}_`, '    ', lines)
      lines.push('  }')
    }
  } else drawStates(root, '', '  ', lines)
  return lines.join('\n')
}

function drawStates(parent: AnyStateNode, prefix: string, indent: string, lines: string[]): void {
  const name = (key: string): string => `${prefix}${key}`
  const states = Object.values(parent.states)
  if (prefix !== '') for (const { key } of states) lines.push(`${indent}state "${key}" as ${name(key)}`)
  for (const { key } of parent.initial.target ?? []) lines.push(`${indent}[*] --> ${name(key)}`)
  const choices = new Map<string, string[]>()
  for (const state of states) {
    for (const [to, events] of arrowsOf(state, choices)) {
      lines.push(`${indent}${name(state.key)} --> ${name(to)}: ${events.join(', ')}`)
    }
    if (state.transitions.size === 0) lines.push(`${indent}${name(state.key)} --> [*]`)
  }
  for (const [choice, ways] of choices) {
    lines.push(`${indent}state ${name(choice)} <<choice>>`)
    for (const way of ways) lines.push(`${indent}${name(choice)} --> ${prefix}${way}`)
  }
}

/** Where a state leads, each with the events that do. What guards decide is a choice, drawn once for all who come to it. */
function arrowsOf(state: AnyStateNode, choices: Map<string, string[]>): Map<string, string[]> {
  const arrows = new Map<string, string[]>()
  for (const [event, transitions] of state.transitions) {
    const ways = transitions.flatMap(({ target, guard }) =>
      (target ?? []).map(({ key }) => (guard === undefined ? key : `${key}: ${String(guard)}`)),
    )
    const isChoice = transitions.length > 1
    if (isChoice) choices.set(CHOICE, ways)
    for (const to of isChoice ? [CHOICE] : ways) arrows.set(to, [...(arrows.get(to) ?? []), event])
  }
  return arrows
}

/** The machines have one choice each at most. */
const CHOICE = 'by_lines'
