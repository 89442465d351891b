import {type Document, isMap, isNode, isPair, isScalar, LineCounter, parseAllDocuments} from 'yaml'
import type {z} from 'zod'
import {API_VERSION} from '#shared/model/api-version.ts'
import {type App, appSchema, type Cluster, clusterSchema} from '#shared/model/app.ts'
import {describeError} from '#shared/model/drawbridge-error.ts'
import {CONFIG_FILE} from '#shared/model/keys.ts'
import {limits} from '#shared/model/limits.ts'
import {childObject, isJsonObject, type JsonObject} from '#shared/model/manifest.ts'
import {appNameSchema} from '#shared/model/names.ts'
import type {Finding} from '#shared/model/outcome.ts'
import {nearestName} from '#shared/plan/nearest-name.ts'
import {findDuplicateKey} from './find-duplicate-key.ts'
import {knownFields} from './known-fields.ts'
import {DUPLICATE_KEY, describeExpansion, describeYamlProblem} from './read-yaml.ts'

const schemas = {App: appSchema, Cluster: clusterSchema} as const
const maxFindings = 100

/** One document with the means to tell where in the file a part of it stands. */
interface Source {
  document: Document
  lines: LineCounter
}

/**
 * What a drawbridge.yaml declares. A finding that names no App is about the whole file: then nothing in it can be used, since an App may be
 * hidden in what could not be read. Else `config` holds all but the Apps that findings name.
 */
export interface ParsedConfig {
  config: {apps: App[]; clusters: Cluster[]}
  findings: Finding[]
}

/** Parses the text of drawbridge.yaml. Every problem is a finding with its line. */
export function parseConfig(text: string): ParsedConfig {
  try {
    return parse(text)
  } catch (error) {
    // The stack overflows in what recurses over values.
    if (!(error instanceof RangeError)) throw error
    return {config: {apps: [], clusters: []}, findings: [finding('it nests too deeply', undefined)]}
  }
}

function parse(text: string): ParsedConfig {
  const findings: Finding[] = []
  const apps: {value: App; line: number; source: Source}[] = []
  const clusters: {value: Cluster; line: number; source: Source}[] = []
  for (const source of parseDocuments(text, findings)) {
    const value = toValue(source, findings)
    if (value === undefined || value === null) continue
    const kind = checkKind(value, source, findings)
    if (kind === undefined || !isJsonObject(value)) continue
    const parsed = schemas[kind].safeParse(value)
    const line = lineAt(source, [])
    if (!parsed.success) {
      const about = kind === 'App' ? nameOfApp(value) : undefined
      findings.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, {kind, value, about}, source)))
    } else if (parsed.data.kind === 'App') apps.push({value: parsed.data, line, source})
    else clusters.push({value: parsed.data, line, source})
  }
  findings.push(...findDuplicates(apps), ...findDuplicates(clusters))
  // A cluster whose own document is broken is not an unknown one.
  if (findings.some(({app}) => app === undefined)) {
    return {config: {apps: [], clusters: []}, findings: cutFindings(findings)}
  }
  const names = clusters.map(({value}) => value.metadata.name)
  for (const {value, source} of apps) findings.push(...findUnknownClusters(value, names, source))
  const broken = new Set(findings.map(({app}) => app))
  return {
    config: {
      apps: apps.map(({value}) => value).filter(({metadata}) => !broken.has(metadata.name)),
      clusters: clusters.map(({value}) => value),
    },
    findings: cutFindings(findings),
  }
}

/** The first findings, and of each App that has more than fit one all the same: by it the App is known to be declared. */
function cutFindings(findings: readonly Finding[]): Finding[] {
  const told = new Set<string>()
  return findings.filter(({app}, index) => {
    const isFirst = app !== undefined && !told.has(app)
    if (app !== undefined) told.add(app)
    return index < maxFindings || isFirst
  })
}

/** The name by which clusters may have an App whose document is not valid; undefined where it has none. */
function nameOfApp(value: JsonObject): string | undefined {
  return appNameSchema.safeParse(childObject(value, 'metadata')?.name).data
}

function parseDocuments(text: string, findings: Finding[]): Source[] {
  const lines = new LineCounter()
  try {
    const documents = Array.from(
      parseAllDocuments(text, {
        lineCounter: lines,
        uniqueKeys: false,
        stringKeys: true,
        prettyErrors: false,
        logLevel: 'silent',
      }),
    )
    const sources: Source[] = []
    for (const document of documents) {
      // The first problem of a document: what follows it is often its echo.
      const problem = document.errors[0] ?? document.warnings[0]
      const duplicate = problem === undefined ? findDuplicateKey(document) : undefined
      if (problem !== undefined)
        findings.push(finding(describeYamlProblem(problem.message), lines.linePos(problem.pos[0]).line))
      else if (duplicate !== undefined) findings.push(finding(DUPLICATE_KEY, lines.linePos(duplicate).line))
      else sources.push({document, lines})
    }
    return sources
  } catch (error) {
    findings.push(finding(describeYamlProblem(describeError(error)), undefined))
    return []
  }
}

function toValue(source: Source, findings: Finding[]): unknown {
  try {
    const value: unknown = source.document.toJS({maxAliasCount: limits.maxYamlAliases})
    if (!isDeeperThan(value, maxDepth)) return value
    findings.push(finding('it nests too deeply', lineAt(source, [])))
    return undefined
  } catch (error) {
    const message = describeExpansion(describeError(error))
    findings.push(finding(message, lineAt(source, [])))
    return undefined
  }
}

/** Stacks differ between threads: what one can walk must not overflow another's. */
const maxDepth = 500

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child) => isDeeperThan(child, levels - 1))
}

function checkKind(value: unknown, source: Source, findings: Finding[]): keyof typeof schemas | undefined {
  if (!isJsonObject(value)) {
    findings.push(finding('the document is not an object; declare kind App or Cluster', lineAt(source, [])))
    return undefined
  }
  const {kind} = value
  if (kind === 'App' || kind === 'Cluster') return kind
  const nearest = typeof kind === 'string' ? nearestName(kind, Object.keys(schemas)) : undefined
  const hint = nearest === undefined ? 'known are App and Cluster' : `did you mean ${nearest}?`
  const what = kind === undefined ? 'the document has no kind' : `unknown kind ${JSON.stringify(kind)}`
  findings.push(
    finding(`${what}; ${hint} (apiVersion: ${API_VERSION})`, lineAt(source, kind === undefined ? [] : ['kind'])),
  )
  return undefined
}

/** The document that an issue is of; `about` is the App's name. */
interface Described {
  kind: keyof typeof schemas
  value: JsonObject
  about: string | undefined
}

function describeIssue(issue: z.core.$ZodIssue, {kind, value, about}: Described, source: Source): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const field = path.length === 0 ? '' : ` ${formatPath(path)}`
  const found = (message: string, at: readonly (string | number)[]): Finding => ({
    ...finding(message, lineAt(source, at)),
    ...(about === undefined ? {} : {app: about}),
  })
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schemas[kind], path)
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known)
      const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${nearest}?`
      return found(`unknown field ${formatPath([...path, key])} in ${kind}; ${hint}`, [...path, key])
    })
  }
  if (issue.code === 'invalid_union') {
    // Of the alternatives, the one that got furthest says most.
    const deepest = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0]
    if (deepest !== undefined && deepest.path.length > 0) {
      return describeIssue({...deepest, path: [...issue.path, ...deepest.path]}, {kind, value, about}, source)
    }
    const expected = issue.errors.flatMap(([first]) => (first?.code === 'invalid_type' ? [first.expected] : []))
    if (expected.length > 0) {
      const got = typeOf(path.reduce<unknown>(childOf, value))
      return [found(`${kind}${field}: Invalid input: expected ${expected.join(' or ')}, received ${got}`, path)]
    }
  }
  return [found(`${kind}${field}: ${issue.message}`, path)]
}

function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function findDuplicates(declared: readonly {value: App | Cluster; line: number; source: Source}[]): Finding[] {
  const first = new Map<string, number>()
  const findings: Finding[] = []
  for (const {value, line, source} of declared) {
    const {name} = value.metadata
    const before = first.get(name)
    if (before === undefined) first.set(name, line)
    else {
      const message = `${value.kind} ${name} is declared twice, first at line ${before}; rename or remove one`
      const about = value.kind === 'App' ? {app: name} : {}
      findings.push({...finding(message, lineAt(source, ['metadata', 'name'])), ...about})
    }
  }
  return findings
}

function findUnknownClusters(app: App, known: readonly string[], source: Source): Finding[] {
  const {clusters} = app.spec
  if (!Array.isArray(clusters)) return []
  return clusters.flatMap((name, index) => {
    if (known.includes(name)) return []
    const nearest = nearestName(name, known)
    const hint = nearest === undefined ? 'declare it as a document of kind Cluster' : `did you mean ${nearest}?`
    const message = `App ${app.metadata.name} names the unknown cluster ${name}; ${hint}`
    return [{...finding(message, lineAt(source, ['spec', 'clusters', index])), app: app.metadata.name}]
  })
}

/** The line, counted from 1, of the nearest part of a path that is there; of a key rather than of its value. */
function lineAt({document, lines}: Source, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const start = keyStart(document, path.slice(0, length))
    if (start !== undefined) return lines.linePos(start).line
  }
  return lines.linePos(document.contents?.range?.[0] ?? document.range?.[0] ?? 0).line
}

function keyStart(document: Document, path: readonly (string | number)[]): number | undefined {
  const last = path.at(-1)
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
    return pair !== undefined && isNode(pair.key) ? pair.key.range?.[0] : undefined
  }
  const node: unknown = document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}

function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('')
}

function finding(message: string, line: number | undefined): Finding {
  return {
    code: 'CONFIG_INVALID',
    message: `${CONFIG_FILE}: ${message}`,
    file: CONFIG_FILE,
    ...(line === undefined ? {} : {line}),
  }
}
