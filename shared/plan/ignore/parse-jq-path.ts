import {readWhole} from '../../bundle/exact-json.ts'
import type {Json} from '../../model/manifest.ts'
import {childAt, type FieldPath, valueAt} from './field-path.ts'
import {IgnoreRuleError} from './ignore-rule-error.ts'

/** Finds all fields of an object that an expression names. */
export type SelectFields = (object: Json) => FieldPath[]

type Step = {get: string | number} | {each: true} | {keep: (value: Json | undefined) => boolean}

const MAX_FOUND = 10_000

/**
 * Compiles the part of jq that names fields: `.a.b`, `."a/b"`, `.["a"]`, `.[0]`, `.[]`, `?`, `|` and
 * `select(PATH == LITERAL)` with `!=`, `and`, `or`, or a bare PATH for what is there. Throws `IgnoreRuleError` for all else.
 */
export function parseJqPath(text: string): SelectFields {
  const reader = createReader(text)
  const steps = readPipeline(reader)
  if (reader.next() !== undefined) reader.fail()
  if (steps.length === 0)
    throw new IgnoreRuleError('BAD_PATH', `jq path ${JSON.stringify(text)} names the whole object`)
  return (object) => selectSteps(object, steps)
}

/** Compiles a JSON pointer (RFC 6901). Throws `IgnoreRuleError` where it names the whole object. */
export function parsePointer(text: string): SelectFields {
  if (!text.startsWith('/'))
    throw new IgnoreRuleError('BAD_PATH', `JSON pointer ${JSON.stringify(text)} must begin with /`)
  const parts = text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return (object) => {
    const path: (string | number)[] = []
    let value: Json | undefined = object
    for (const part of parts) {
      const step = Array.isArray(value) && /^\d+$/.test(part) ? Number(part) : part
      value = childAt(value, step)
      if (value === undefined) return []
      path.push(step)
    }
    return [path]
  }
}

function selectSteps(object: Json, steps: readonly Step[]): FieldPath[] {
  let found: FieldPath[] = [[]]
  for (const step of steps) {
    found = found.flatMap((path): FieldPath[] => {
      const value = valueAt(object, path)
      if ('keep' in step) return step.keep(value) ? [path] : []
      if ('get' in step) {
        const at =
          typeof step.get === 'number' && step.get < 0 && Array.isArray(value) ? value.length + step.get : step.get
        return childAt(value, at) === undefined ? [] : [[...path, at]]
      }
      if (Array.isArray(value)) return value.map((_, index) => [...path, index])
      return typeof value === 'object' && value !== null ? Object.keys(value).map((key) => [...path, key]) : []
    })
    if (found.length > MAX_FOUND) return []
  }
  return found
}

interface Reader {
  /** The next token, not taken. */
  next(): string | undefined
  take(token?: string): string
  fail(): never
}

const tokenPattern = /\s*(?:("(?:[^"\\]|\\.)*")|(==|!=|[.|()[\]?])|([A-Za-z_][A-Za-z0-9_]*)|(-?\d+(?:\.\d+)?))/y

function createReader(text: string): Reader {
  const tokens: string[] = []
  tokenPattern.lastIndex = 0
  const fail = (): never => {
    throw new IgnoreRuleError(
      'BAD_PATH',
      `jq path ${JSON.stringify(text)}: only paths can be written: .a.b, ."a/b", .[0], .[], select(.a == "b") and |`,
    )
  }
  const trimmed = text.trimEnd()
  while (tokenPattern.lastIndex < trimmed.length) {
    const match = tokenPattern.exec(trimmed)
    if (match === null) return fail()
    tokens.push(match[0].trim())
  }
  let at = 0
  return {
    next: () => tokens[at],
    take(token) {
      const present = tokens[at++]
      if (present === undefined || (token !== undefined && present !== token)) return fail()
      return present
    },
    fail,
  }
}

function readPipeline(reader: Reader): Step[] {
  const steps = [...readTerm(reader)]
  while (reader.next() === '|') {
    reader.take()
    steps.push(...readTerm(reader))
  }
  return steps
}

function readTerm(reader: Reader): Step[] {
  if (reader.next() !== 'select') return readPath(reader)
  reader.take()
  reader.take('(')
  const keep = readEither(reader)
  reader.take(')')
  return [{keep}, ...(reader.next() === '.' ? readPath(reader) : [])]
}

function readPath(reader: Reader): Step[] {
  const steps: Step[] = []
  reader.take('.')
  let dotted = true
  for (;;) {
    const token = reader.next()
    if (token === '[') {
      reader.take()
      const inside = reader.take()
      if (inside === ']') steps.push({each: true})
      else {
        if (inside.startsWith('"')) steps.push({get: readText(inside, reader)})
        else if (/^-?\d+$/.test(inside)) steps.push({get: Number(inside)})
        else reader.fail()
        reader.take(']')
      }
    } else if (dotted && token !== undefined && /^["A-Za-z_]/.test(token)) {
      reader.take()
      steps.push({get: token.startsWith('"') ? readText(token, reader) : token})
    } else if (token === '?' && steps.length > 0) reader.take()
    else if (token === '.' && !dotted) {
      reader.take()
      dotted = true
      continue
    } else if (dotted && steps.length > 0) reader.fail()
    else return steps
    dotted = false
  }
}

type Condition = (value: Json | undefined) => boolean

function readEither(reader: Reader): Condition {
  let left = readBoth(reader)
  while (reader.next() === 'or') {
    reader.take()
    const [first, second] = [left, readBoth(reader)]
    left = (value) => first(value) || second(value)
  }
  return left
}

function readBoth(reader: Reader): Condition {
  let left = readComparison(reader)
  while (reader.next() === 'and') {
    reader.take()
    const [first, second] = [left, readComparison(reader)]
    left = (value) => first(value) && second(value)
  }
  return left
}

function readComparison(reader: Reader): Condition {
  const steps = readPath(reader)
  const first = (value: Json | undefined): Json | undefined => {
    const path = value === undefined ? undefined : selectSteps(value, steps)[0]
    return path === undefined ? undefined : valueAt(value, path)
  }
  const operator = reader.next()
  if (operator !== '==' && operator !== '!=') {
    return (value) => {
      const found = first(value)
      return found !== undefined && found !== null && found !== false
    }
  }
  reader.take()
  const literal = readLiteral(reader)
  return (value) => ((first(value) ?? null) === literal) === (operator === '==')
}

function readLiteral(reader: Reader): Json {
  const token = reader.take()
  if (token.startsWith('"')) return readText(token, reader)
  if (/^-?\d+$/.test(token)) return readWhole(token)
  if (/^-?\d/.test(token)) return Number(token)
  if (token === 'true' || token === 'false') return token === 'true'
  return token === 'null' ? null : reader.fail()
}

function readText(token: string, reader: Reader): string {
  try {
    return String(JSON.parse(token))
  } catch {
    return reader.fail()
  }
}
