// What Node's own types leave out of WebAssembly. Source: WebAssembly JavaScript Interface, W3C.
declare namespace WebAssembly {
  class Module {
    static imports(module: Module): {module: string; name: string; kind: string}[]
    constructor(bytes: Uint8Array)
  }
  class Memory {
    readonly buffer: ArrayBuffer
  }
  class Instance {
    readonly exports: Record<string, unknown>
    constructor(module: Module, imports: Record<string, Record<string, (...args: never[]) => unknown>>)
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>
}
