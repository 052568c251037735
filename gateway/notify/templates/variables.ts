/** The variables of the data that a parsed template names, as paths with the place where they stand. */
import { analyzeSync, type Template as ParsedTemplate, Variable } from 'liquidjs'

export interface NamedVariable {
  path: (string | number)[]
  line: number
  column: number
}

/** Without what the template itself assigns or loops over. */
export function variablesOf(template: ParsedTemplate[]): NamedVariable[] {
  const { globals } = analyzeSync(template, { partials: false })
  return Object.values(globals).flatMap((variables) =>
    variables.map((variable) => ({
      path: variable.segments.map((segment) => nameOf(segment)),
      line: variable.location.row,
      column: variable.location.col,
    })),
  )
}

/** An index that is itself a variable stands for any item. */
const nameOf = (segment: string | number | Variable): string | number => (segment instanceof Variable ? 0 : segment)
