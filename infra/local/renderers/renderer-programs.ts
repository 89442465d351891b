import {join} from 'node:path'
import {RENDERER_VERSIONS} from '#functions/render/box/renderer-versions.ts'
import {limits} from '#shared/model/limits.ts'
import type {GoProgram} from '../go/go-program.ts'
import {limitMemory, wasmPageBytes} from './limit-memory.ts'

/** The renderers that are WebAssembly modules, by the folders of their sources. */
export const RENDERER_NAMES = ['kustomize', 'helm'] as const
export type RendererName = (typeof RENDERER_NAMES)[number]

const titles = {kustomize: "kustomize's renderer", helm: "helm's renderer"}
const usualMinutes = {kustomize: 1, helm: 2}
// kustomize writes its version into objects where buildMetadata asks for it, and gets it from the linker.
const linkerFlags = {
  kustomize: `-s -w -X sigs.k8s.io/kustomize/api/provenance.version=${RENDERER_VERSIONS.kustomize}`,
  helm: '-s -w',
}
const maxPages = limits.renderWasmMemoryBytes / wasmPageBytes

/** A renderer as a program to build; `sourceDir` holds the folders of both. */
export function rendererProgram(
  name: RendererName,
  sourceDir: string = join(import.meta.dirname, '..', '..', '..', 'functions', 'render', 'renderers'),
): GoProgram {
  return {
    name,
    title: titles[name],
    sourceDir: join(sourceDir, name),
    file: `${name}.wasm`,
    flags: ['-trimpath', '-buildvcs=false', '-buildmode=c-shared', `-ldflags=${linkerFlags[name]}`],
    target: {GOOS: 'wasip1', GOARCH: 'wasm'},
    finish: {version: `memory-${maxPages}`, run: (module) => limitMemory(module, maxPages)},
    usualMinutes: usualMinutes[name],
    absentCode: 'NO_RENDERERS',
    choices: `To have the renderers, do one of these:
  - install Go 1.26 or newer, with access to the Go modules, and try again;
  - set DRAWBRIDGE_RENDERERS to a folder with the kustomize.wasm and helm.wasm that "npm run build" made of the same sources elsewhere.`,
  }
}
