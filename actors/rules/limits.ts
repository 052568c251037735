/**
 * Every limit of the business rules, with its reason. What a rule decides depends on them, so they are constants of the
 * format, as those of `actors/limits.ts` are.
 */

/** Rules of one book: each is tried for each order. */
export const RULES_MAX = 256

/** Actions of one rule. */
export const ACTIONS_MAX = 16

/** Locations of one action. */
export const ACTION_LOCATIONS_MAX = 256

/** Characters of a name, a tag, a reason, a service or an attribute's name. */
export const RULE_TEXT_CHARS_MAX = 200

/** Characters of a condition. A fault of the library costs time for each of them, since it draws the place. */
export const CONDITION_CHARS_MAX = 2_000

/** Names, literals, operators and calls of a condition. */
export const CONDITION_NODES_MAX = 400

/** Depth of a condition's tree: the library recurses, and a stack that overflows would overflow elsewhere on a replica. */
export const CONDITION_DEPTH_MAX = 100

/** Elements of a list that is written in a condition. */
export const CONDITION_LIST_MAX = 200

/** A loop inside a loop is a join of the order's lines with themselves; nobody needs the third. */
export const NESTED_LOOPS_MAX = 2

/**
 * The work of one rule for one order. A step is about one node of the condition looked at: 20 to 60 ns here. A step and
 * not a time, because a replica must come to the same answer. One loop over 10,000 lines whose body has 200 steps.
 */
export const STEPS_PER_RULE_MAX = 2_000_000

/** The work of all rules for one order: what a rule spends, those behind it lack. */
export const STEPS_PER_EVALUATION_MAX = 4_000_000

/** Steps of a fault: 2.5 µs here, and its message costs time for each character of the condition. */
export const STEPS_PER_FAULT = 50
export const CONDITION_CHARS_PER_FAULT_STEP = 6

/** Characters of a string that are read in one step. */
export const CHARS_PER_STEP = 32

/** Depth of lists and maps inside a line's attribute; what is deeper reads as null. */
export const ATTRIBUTE_DEPTH_MAX = 4

/** Characters of a fault in the trace: the library quotes values in some of them. */
export const FAULT_CHARS_MAX = 300
