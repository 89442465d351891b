import assert from 'node:assert/strict'
import {before, suite, test} from 'node:test'
import {type BoxResult, renderFiles} from '../box-fixture.ts'
import {openList, type ReferenceResult, readAsKubectl} from '../reference-renderers.ts'
import type {CorpusCase} from './corpus-case.ts'

/** What is compared: cases of one renderer, its reference program, and how many cases there are at least. */
export interface Comparison {
  renderer: 'kustomize' | 'helm'
  cases: readonly CorpusCase[]
  render: (each: CorpusCase) => Promise<ReferenceResult>
  atLeast: number
  refusedAtLeast: number
}

/**
 * Adds the tests of a corpus. First on the reference program: what is called good renders there, and what is called refused is refused
 * there. Then the box: object by object what kubectl reads of the program's output, and refused what the program refuses.
 */
export function compareCorpus({renderer, cases, render, atLeast, refusedAtLeast}: Comparison): void {
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

      test(`the box renders ${renderer}: ${each.name}`, async () => {
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
          if (result !== undefined && !result.ok) assert.match(wordsOf(found), each.refused ?? /^$/)
          return
        }
        assert.ok(found.ok, found.ok ? '' : `${found.code}: ${found.message}`)
        assert.deepEqual(found.objects.flatMap(openList), expected)
        // What is not among the inputs has no part in what came out. Through a link a file is asked for by another name.
        if (Object.values(files).some(isLink)) return
        const inputs = new Set(found.inputs)
        const read = Object.entries(files).filter(([file]) => inputs.has(file))
        const again = await renderFiles({...request, files: Object.fromEntries(read)})
        assert.deepEqual(again.ok ? again.objects : again, found.objects)
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

/** As a finding is told: the place, then the words. */
function wordsOf({file, line, message}: Extract<BoxResult, {ok: false}>): string {
  return `${file ?? ''}:${line ?? ''}: ${message}`
}

function isLink(content: unknown): boolean {
  return typeof content === 'object' && content !== null && 'link' in content
}
