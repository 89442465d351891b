import {RE2JS} from '@bufbuild/re2'
import {createBoundedMap} from '../memory/bounded-map.ts'
import {estimateProgram} from './estimate-program.ts'

/** RE2's instructions, as its compiler numbers them. */
const OP = {alt: 1, altMatch: 2, capture: 3, empty: 4, fail: 5, match: 6, nop: 7} as const
const EMPTY = {beginLine: 1, endLine: 2, beginText: 4, endText: 8, boundary: 16, noBoundary: 32} as const

interface Instruction {
  op: number
  out: number
  arg: number
  matchRune(rune: number): boolean
}
interface Program {
  inst: Instruction[]
  start: number
}

/** Of a program, by its estimate; a larger one is refused before it is compiled. */
export const MAX_INSTRUCTIONS = 1_000
/** What it takes to make a program of a pattern, per instruction, in steps. */
const STEPS_TO_COMPILE = 200
/** What each place of the text takes besides. */
const STEPS_A_PLACE = 5
const MAX_KEPT_PROGRAMS = 64
const programs = createBoundedMap<string, Program>(MAX_KEPT_PROGRAMS)

/** A pattern that is not run at all: its program would be too large. */
export class PatternTooLarge extends Error {}

/**
 * Tells whether an RE2 pattern matches somewhere in a text. Goes through the text once, with all states that the pattern can be in, and
 * calls `charge` with the steps as they are made: what that throws ends it. So no pattern and no text takes longer than what it charges. RE2's
 * own search is linear too, but by a factor of the pattern's that nothing bounds. `paid` holds the patterns that are not charged for again. Throws `PatternTooLarge` for a pattern of more than 1,000 instructions,
 * or with `\\p`, whose tables take a second to make; and what RE2 throws for a pattern that is none.
 */
export function matchPattern(
  pattern: string,
  text: string,
  charge: (steps: number) => void,
  paid: Set<string> = new Set(),
): boolean {
  if (!paid.has(pattern)) {
    const size = estimateProgram(pattern)
    if (size > MAX_INSTRUCTIONS) throw new PatternTooLarge('the pattern is too large')
    charge(size * STEPS_TO_COMPILE)
    paid.add(pattern)
  }
  return search(programFor(pattern), text, charge)
}

function programFor(pattern: string): Program {
  const known = programs.get(pattern)
  if (known !== undefined) return known
  const compiled = RE2JS.compile(pattern) as unknown as {re2Input?: {prog?: Program}}
  const program = compiled.re2Input?.prog
  if (program === undefined || !Array.isArray(program.inst)) throw new Error('RE2 gives no program')
  if (program.inst.length > 4 * MAX_INSTRUCTIONS) throw new PatternTooLarge('the pattern is too large')
  programs.set(pattern, program)
  return program
}

/** https://swtch.com/~rsc/regexp/regexp2.html, without captures: a set of states at each place of the text. */
function search({inst, start}: Program, text: string, charge: (steps: number) => void): boolean {
  let now: number[] = []
  let next: number[] = []
  // Where an instruction was put last, so that none is put twice.
  const seenAt = new Int32Array(inst.length).fill(-1)
  const stack: number[] = []
  let steps = 0

  function add(pc: number, at: number, context: number, states: number[]): boolean {
    stack.push(pc)
    for (let here = stack.pop(); here !== undefined; here = stack.pop()) {
      steps++
      if (seenAt[here] === at) continue
      seenAt[here] = at
      const instruction = inst[here]
      if (instruction === undefined) continue
      switch (instruction.op) {
        case OP.match:
          stack.length = 0
          return true
        case OP.fail:
          break
        case OP.alt:
        case OP.altMatch:
          stack.push(instruction.arg, instruction.out)
          break
        case OP.capture:
        case OP.nop:
          stack.push(instruction.out)
          break
        case OP.empty:
          if ((instruction.arg & ~context) === 0) stack.push(instruction.out)
          break
        default:
          states.push(here)
      }
    }
    return false
  }

  let before = -1
  for (let at = 0; ; ) {
    const rune = text.codePointAt(at) ?? -1
    const context = contextOf(before, rune)
    // The pattern may begin anywhere.
    if (at === 0 && add(start, at, context, now)) return true
    charge(STEPS_A_PLACE + steps + now.length)
    steps = 0
    if (rune < 0) return false
    const following = at + (rune > 0xffff ? 2 : 1)
    const after = contextOf(rune, text.codePointAt(following) ?? -1)
    next = []
    for (const pc of now) {
      const instruction = inst[pc]
      if (instruction?.matchRune(rune) && add(instruction.out, following, after, next)) return true
    }
    if (add(start, following, after, next)) return true
    const former = now
    now = next
    next = former
    before = rune
    at = following
  }
}

function contextOf(before: number, after: number): number {
  let context = 0
  if (before < 0) context |= EMPTY.beginText | EMPTY.beginLine
  if (before === 0x0a) context |= EMPTY.beginLine
  if (after < 0) context |= EMPTY.endText | EMPTY.endLine
  if (after === 0x0a) context |= EMPTY.endLine
  return context | (isWord(before) === isWord(after) ? EMPTY.noBoundary : EMPTY.boundary)
}

function isWord(rune: number): boolean {
  return (
    (rune >= 0x61 && rune <= 0x7a) || (rune >= 0x41 && rune <= 0x5a) || (rune >= 0x30 && rune <= 0x39) || rune === 0x5f
  )
}
