import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {limitMemory, WasmError, wasmPageBytes} from '#infra/local/renderers/limit-memory.ts'
import {wasm} from './wasm.ts'

const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const exportMemory = [7, 10, 1, 6, ...Buffer.from('memory'), 2, 0]
const custom = [0, 5, 4, ...Buffer.from('note')]

function moduleWith(...sections: number[][]): Uint8Array {
  return Uint8Array.from([...preamble, ...sections.flat()])
}

function memoryOf(module: Uint8Array) {
  return new wasm.Instance(new wasm.Module(module)).exports.memory
}

function growsTo(module: Uint8Array, pages: number): boolean {
  const memory = memoryOf(module)
  try {
    memory.grow(pages - memory.buffer.byteLength / wasmPageBytes)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

test('a module without a maximum grows up to the limit and not beyond, in V8 as well', () => {
  const module = moduleWith([5, 3, 1, 0, 2], exportMemory)
  assert.ok(growsTo(module, 301))
  const limited = limitMemory(module, 300)
  assert.equal(memoryOf(limited).buffer.byteLength, 2 * wasmPageBytes)
  assert.ok(growsTo(limited, 300))
  assert.ok(!growsTo(limited, 301))
})

const kept: [string, number[], number, number[]][] = [
  ['a larger maximum becomes the limit', [5, 4, 1, 1, 2, 100], 50, [5, 4, 1, 1, 2, 50]],
  ['a smaller maximum stays', [5, 4, 1, 1, 2, 10], 50, [5, 4, 1, 1, 2, 10]],
  ['a size of two bytes is read', [5, 0x83, 0, 1, 0, 2], 50, [5, 4, 1, 1, 2, 50]],
  ['a limit of several bytes is written', [5, 3, 1, 0, 2], 16_384, [5, 6, 1, 1, 2, 0x80, 0x80, 1]],
]
for (const [title, memory, maxPages, expected] of kept) {
  test(`${title}, and all other sections keep their bytes`, () => {
    const limited = limitMemory(moduleWith(custom, memory, exportMemory, custom), maxPages)
    assert.deepEqual(limited, moduleWith(custom, expected, exportMemory, custom))
    assert.ok(wasm.validate(limited))
  })
}

test('what is limited twice is limited once', () => {
  fc.assert(
    fc.property(fc.integer({min: 0, max: 65_536}), fc.integer({min: 0, max: 65_536}), (one, two) => {
      const module = moduleWith([5, 3, 1, 0, 0], exportMemory)
      assert.deepEqual(limitMemory(limitMemory(module, one), two), limitMemory(module, Math.min(one, two)))
    }),
  )
})

const refused: [string, Uint8Array, WasmError['code']][] = [
  ['nothing', new Uint8Array(), 'MALFORMED'],
  ['something else', Uint8Array.from(Buffer.from('#!/bin/sh\n')), 'MALFORMED'],
  ['a module that is cut off', moduleWith([5, 3, 1, 0]), 'MALFORMED'],
  ['a size that does not end', moduleWith([5, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), 'MALFORMED'],
  ['a shared memory', moduleWith([5, 4, 1, 3, 1, 2]), 'MALFORMED'],
  ['no memory', moduleWith(custom), 'NOT_ONE_MEMORY'],
  ['two memories', moduleWith([5, 5, 2, 0, 1, 0, 1]), 'NOT_ONE_MEMORY'],
  ['a memory that starts above the limit', moduleWith([5, 3, 1, 0, 51]), 'STARTS_TOO_LARGE'],
]
for (const [title, module, code] of refused) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () => limitMemory(module, 50),
      (error) => error instanceof WasmError && error.code === code,
    )
  })
}
