// TypeScript declares WebAssembly with the browser only, so the part that the tests look at is declared here.
interface Memory {
  readonly buffer: ArrayBuffer
  /** Throws RangeError beyond the maximum. */
  grow(pages: number): number
}

interface Wasm {
  Module: {
    new (bytes: Uint8Array): object
    imports(module: object): {module: string; name: string}[]
    exports(module: object): {name: string; kind: string}[]
  }
  Instance: new (module: object) => {exports: {memory: Memory}}
  validate(bytes: Uint8Array): boolean
}

export const wasm: Wasm = Object(globalThis).WebAssembly
