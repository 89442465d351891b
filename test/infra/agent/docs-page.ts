import {readFile} from 'node:fs/promises'
import {join} from 'node:path'

/** The text of docs/agent.md. */
export function readDocs(): Promise<string> {
  return readFile(join(import.meta.dirname, '..', '..', '..', 'docs', 'agent.md'), 'utf8')
}

/** The commands of a section of a page of documentation: its indented lines that begin with a program's name. */
export function commandsOf(page: string, section: string, program: string): string[] {
  const start = page.indexOf(`\n## ${section}\n`)
  if (start < 0) throw new Error(`the page has no section ${section}`)
  const end = page.indexOf('\n## ', start + 1)
  const text = page.slice(start, end < 0 ? undefined : end)
  return [...text.matchAll(new RegExp(`^ {4,}${program} (.*)$`, 'gm'))].map(([, command = '']) => command)
}

/** Metrics as the tables of a page name them: `NAME TYPE LABEL…`. */
export function metricsOf(page: string): string[] {
  return [...page.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| (.*?) ?\|$/gm)]
    .map(([, name = '', type = '', labels = '']) => {
      const named = [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)
      return [name, type, ...named.sort()].join(' ')
    })
    .sort()
}

/** Metrics in the text format of Prometheus, in the same words; of what has no sample yet the labels are not known. */
export function metricsIn(text: string): {declared: string[]; labelled: string[]} {
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]))
  const labelled = new Set<string>()
  for (const [, sample = '', labels = ''] of text.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
    const name = sample.replace(/_(?:bucket|sum|count)$/, '')
    const own = types.has(sample) ? sample : name
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le')
    if (names.length > 0) labelled.add([own, types.get(own), ...names.sort()].join(' '))
  }
  return {declared: [...types].map(([name, type]) => `${name} ${type}`).sort(), labelled: [...labelled].sort()}
}
