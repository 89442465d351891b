import assert from 'node:assert/strict'
import {test} from 'node:test'
import fc from 'fast-check'
import {type CutRange, createRangeCutter, type Piece} from '#functions/render/cut-ranges.ts'
import {isInRange} from '#shared/model/name-range.ts'
import {nameOfEntry} from '#shared/model/publish-request.ts'

const piece = (name: string, differs: boolean, bytes = 1): Piece => ({
  entry: {outcome: 'failed', name},
  head: undefined,
  differs,
  bytes: () => bytes,
})

/** Names in capitals differ; `-name` is one that the declaration lost. */
function cutAll(words: string, bounds = {maxApps: 3, maxBytes: 100}, from = ''): string[] {
  const all = words.split(' ').filter((word) => word !== '')
  const names = all.filter((word) => !word.startsWith('-'))
  const removed = all.filter((word) => word.startsWith('-')).map((word) => word.slice(1))
  const cutter = createRangeCutter(
    names.map((name) => name.toLowerCase()),
    removed,
    bounds,
    from,
  )
  const cuts = names.flatMap((name) => cutter.take(name.toLowerCase(), piece(name.toLowerCase(), /[A-Z]/.test(name))))
  return [...cuts, ...cutter.flush()].map(show)
}

function show({range: {from, to}, pieces}: CutRange): string {
  return `[${from},${to ?? ''}) ${pieces.map(({entry}) => nameOfEntry(entry)).join(' ')}`.trimEnd()
}

const cases: [string, string, string[]][] = [
  ['nothing where there is nothing', '', []],
  ['nothing where nothing differs', 'a b c d e', []],
  ['one range of all that is new, open at both ends', 'A B C', ['[,) a b c']],
  ['ranges that meet where there are more than fit one', 'A B C D E', ['[,d) a b c', '[d,) d e']],
  ['only what differs, without what is unchanged around it', 'a b C d e', ['[c,d) c']],
  ['the unchanged between two that differ', 'a B c D e', ['[b,e) b c d']],
  ['nothing of the unchanged at the end of a full range', 'A b c D e f', ['[,b) a', '[d,e) d']],
  ['a lost name alone', 'a -b c', ['[b,c)']],
  ['a lost name before the first', '-a b', ['[,b)']],
  ['a lost name behind the last', 'a -b', ['[b,)']],
  ['lost names without end in one range', 'a -b -c -d -e -f -g', ['[b,)']],
  ['a new name beside lost ones', 'a -b C -d e', ['[b,e) c']],
]

for (const [what, words, expected] of cases) test(`cuts ${what}`, () => assert.deepEqual(cutAll(words), expected))

test('begins at the name that an earlier run ended at', () => {
  assert.deepEqual(cutAll('M N o', undefined, 'm'), ['[m,o) m n'])
})

test('cuts before a message grows too large, and leaves one large app a range of its own', () => {
  const cutter = createRangeCutter(['a', 'b', 'c', 'd'], [], {maxApps: 10, maxBytes: 10})
  const sizes = {a: 4, b: 12, c: 4, d: 4}
  const cuts = Object.entries(sizes).flatMap(([name, bytes]) => cutter.take(name, piece(name, true, bytes)))
  assert.deepEqual([...cuts, ...cutter.flush()].map(show), ['[,b) a', '[b,c) b', '[c,) c d'])
})

test('sends on what is finished while another app is under way, and not what lies behind it', () => {
  const cutter = createRangeCutter(['a', 'b', 'c', 'd'], ['cc'], {maxApps: 10, maxBytes: 100})
  assert.deepEqual(cutter.take('a', piece('a', true)), [])
  assert.deepEqual(cutter.take('c', piece('c', true)), [])
  assert.deepEqual(cutter.flush().map(show), ['[,b) a'])
  assert.deepEqual(cutter.flush(), [])
  assert.deepEqual(cutter.take('b', piece('b', false)), [])
  assert.deepEqual(cutter.flush().map(show), ['[c,d) c'])
})

test('whatever the order, each difference is in one range, with all that is declared around it', () => {
  const nameArbitrary = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?$/)
  const wordArbitrary = fc.record({
    name: nameArbitrary,
    kind: fc.constantFrom('differs', 'same', 'lost'),
    bytes: fc.integer({min: 1, max: 12}),
    order: fc.nat(1_000),
    isFlushed: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.uniqueArray(wordArbitrary, {selector: ({name}) => name, maxLength: 30}),
      fc.integer({min: 1, max: 5}),
      (words, maxApps) => {
        const declared = words.filter(({kind}) => kind !== 'lost')
        const lost = words.filter(({kind}) => kind === 'lost').map(({name}) => name)
        const cutter = createRangeCutter(
          declared.map(({name}) => name),
          lost,
          {maxApps, maxBytes: 10},
        )
        const cuts: CutRange[] = []
        for (const {name, kind, bytes, isFlushed} of declared.toSorted((a, b) => a.order - b.order)) {
          cuts.push(...cutter.take(name, piece(name, kind === 'differs', bytes)))
          if (isFlushed) cuts.push(...cutter.flush())
        }
        cuts.push(...cutter.flush())
        for (const {name, kind} of words) {
          const holding = cuts.filter(({range}) => isInRange(name, range))
          assert.ok(holding.length <= 1, `${name} is in ${holding.length} ranges`)
          if (kind !== 'same') assert.equal(holding.length, 1, `${name} is in no range`)
        }
        for (const {range, pieces} of cuts) {
          assert.deepEqual(
            pieces.map(({entry}) => nameOfEntry(entry)),
            declared
              .map(({name}) => name)
              .filter((name) => isInRange(name, range))
              .sort(),
          )
          assert.ok(pieces.length <= maxApps)
          assert.ok(pieces.length === 1 || pieces.reduce((sum, {bytes}) => sum + bytes(), 0) <= 12 + 10)
        }
      },
    ),
    {numRuns: 500},
  )
})
