import assert from 'node:assert/strict'
import {before, suite, test} from 'node:test'
import {renderFiles} from '../box-fixture.ts'
import {
  type ReferenceResult,
  readAsKubectl,
  renderWithHelm,
  renderWithKustomize,
  toComparable,
} from '../reference-renderers.ts'
import type {CorpusCase} from './corpus-case.ts'
import {charts} from './helm/all.ts'
import {kustomizations} from './kustomize/all.ts'

// First the corpus on the reference programs: what is called good renders there, and what is called refused is refused there. Then
// the box on the corpus: object by object what kubectl reads of the program's output, and refused what the program refuses.
for (const {renderer, cases, render, atLeast, refusedAtLeast} of [
  {
    renderer: 'kustomize' as const,
    cases: kustomizations,
    render: (each: CorpusCase) => renderWithKustomize(each.files, each.path ?? ''),
    atLeast: 120,
    refusedAtLeast: 25,
  },
  {
    renderer: 'helm' as const,
    cases: charts,
    render: (each: CorpusCase) => renderWithHelm(each.files, each.path ?? '', each.options),
    atLeast: 60,
    refusedAtLeast: 15,
  },
]) {
  suite(renderer, () => {
    const results = new Map<CorpusCase, ReferenceResult>()
    const objects = new Map<CorpusCase, unknown[] | undefined>()

    before(async () => {
      const rest = cases.values()
      const renderRest = async (): Promise<void> => {
        for (const each of rest) results.set(each, await render(each))
      }
      await Promise.all([renderRest(), renderRest()])
      const rendered = [...results].flatMap(([each, result]) => (result.ok ? [{each, output: result.output}] : []))
      const read = await readAsKubectl(rendered.map(({output}) => output))
      rendered.forEach(({each}, index) => {
        objects.set(each, read[index])
      })
    })

    for (const each of cases) {
      test(`${renderer}: ${each.name}`, () => {
        const result = results.get(each)
        assert.ok(result !== undefined)
        if (each.refused !== undefined) {
          assert.ok(!result.ok || objects.get(each) === undefined, 'the program renders it')
          if (!result.ok) assert.match(result.words, each.refused)
          return
        }
        assert.ok(result.ok, result.ok ? '' : result.words)
        if (each.shows !== undefined) assert.match(result.output, each.shows)
        assert.ok(objects.get(each) !== undefined, `kubectl cannot read\n${result.output}`)
      })

      test(`the box renders ${renderer}: ${each.name}`, {skip: renderFiles === undefined}, async () => {
        assert.ok(renderFiles !== undefined)
        const {files, path = '', options = {}} = each
        const expected = objects.get(each)
        const request = {
          renderer,
          files,
          path,
          options: renderer === 'helm' ? {releaseName: 'release', ...options} : {},
        }
        const found = await renderFiles(request)
        if (expected === undefined) {
          assert.ok(!found.ok, `the box renders ${found.ok ? found.objects.join('\n') : ''}`)
          const result = results.get(each)
          if (result !== undefined && !result.ok && each.refused !== undefined)
            assert.match(found.message, each.refused)
          return
        }
        assert.ok(found.ok, found.ok ? '' : `${found.code}: ${found.message}`)
        assert.deepEqual(found.objects.flatMap(openList), expected)
      })
    }

    test(`the corpus of ${renderer} is as large and as hostile as it has to be`, () => {
      const names = cases.map(({name}) => name)
      assert.deepEqual(
        names.filter((name, index) => names.indexOf(name) !== index),
        [],
      )
      const refused = cases.filter((each) => each.refused !== undefined).length
      assert.ok(cases.length >= atLeast && refused >= refusedAtLeast, `${cases.length} cases, ${refused} refused`)
    })
  })
}

/** The objects of a List, which kubectl opens as it reads; any other object is itself. */
function openList(json: string): unknown[] {
  const value = toComparable(json)
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('items' in value)) return [value]
  return typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items)
    ? value.items
    : [value]
}
