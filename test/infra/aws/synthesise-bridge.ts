import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {App} from 'aws-cdk-lib'
import {Template} from 'aws-cdk-lib/assertions'
import {parseBridgeConfig} from '#infra/aws/bridge-config.ts'
import {createApp} from '#infra/aws/create-app.ts'
import {FUNCTION_NAMES} from '#shared/model/access.ts'

export interface Resource {
  Type: string
  Properties: Record<string, unknown>
  DeletionPolicy?: string
  UpdateReplacePolicy?: string
}

/** A synthesised stack, with what its intrinsic functions stand for made plain. */
export interface SynthesisedStack {
  template: Template
  /** Every resource by its logical id. */
  resources: Record<string, Resource>
  /** Gives a value with Ref, Fn::GetAtt, Fn::Join and Fn::ImportValue replaced by readable stand-ins. */
  resolve(value: unknown): unknown
}

export interface SynthesisedBridge {
  bridge: SynthesisedStack
  clusters: Record<string, SynthesisedStack>
  outDir: string
}

/** Synthesises the bridge with the given configuration; the code of the functions is of no interest and so a placeholder. */
export function synthesiseBridge(config: unknown): SynthesisedBridge & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'drawbridge-synth-'))
  const bundles = join(folder, 'functions')
  for (const name of FUNCTION_NAMES) {
    mkdirSync(join(bundles, name, 'renderers'), {recursive: true})
    writeFileSync(join(bundles, name, 'index.mjs'), 'export const handler = () => undefined\n')
  }
  for (const name of ['worker.mjs', 'renderers/kustomize.wasm', 'renderers/helm.wasm']) {
    writeFileSync(join(bundles, 'render', name), '')
  }
  const outDir = join(folder, 'cdk.out')
  const stacks = createApp({app: new App({outdir: outDir}), config: parseBridgeConfig(config, 'the test'), bundles})
  const exported = new Map<string, unknown>()
  const bridge = readStack(Template.fromStack(stacks.bridge), exported)
  for (const output of Object.values(bridge.template.findOutputs('*'))) {
    const name: unknown = output.Export?.Name
    if (typeof name === 'string') exported.set(name, bridge.resolve(output.Value))
  }
  const clusters = stacks.clusters.map((stack) => {
    const synthesised = readStack(Template.fromStack(stack), exported)
    return [stack.stackName, synthesised] as const
  })
  return {
    bridge,
    clusters: Object.fromEntries(clusters),
    outDir,
    [Symbol.dispose]: () => rmSync(folder, {recursive: true, force: true}),
  }
}

function readStack(template: Template, exported: ReadonlyMap<string, unknown>): SynthesisedStack {
  const resources: Record<string, Resource> = template.toJSON().Resources
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value)
    const [[key, argument] = ['', undefined]] = entries
    if (entries.length === 1 && key === 'Ref') return standInForRef(String(argument), resources)
    if (entries.length === 1 && key === 'Fn::GetAtt' && Array.isArray(argument)) return argument.join('.')
    if (entries.length === 1 && key === 'Fn::ImportValue') {
      if (!exported.has(String(argument))) throw new Error(`nothing exports ${String(argument)}`)
      return exported.get(String(argument))
    }
    if (entries.length === 1 && key === 'Fn::Join' && Array.isArray(argument)) {
      const [separator, parts] = argument
      const resolved = resolve(parts)
      return Array.isArray(resolved) ? resolved.join(String(separator)) : resolved
    }
    return Object.fromEntries(entries.map(([name, inner]) => [name, resolve(inner)]))
  }
  return {template, resources, resolve}
}

function standInForRef(id: string, resources: Record<string, Resource>): string {
  switch (id) {
    case 'AWS::Partition':
      return 'aws'
    case 'AWS::Region':
      return 'eu-west-1'
    case 'AWS::AccountId':
      return '123456789012'
  }
  if (resources[id]?.Type === 'AWS::SQS::Queue') return `https://sqs.eu-west-1.amazonaws.com/123456789012/${id}`
  return id
}
