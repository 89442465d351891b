import {gzipSync} from 'node:zlib'
import {pack} from 'tar-stream'
import type {CorpusFiles} from '../../reference-renderers.ts'
import type {CorpusCase} from '../corpus-case.ts'

export const chartYaml = 'apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: "4.5"\n'

/** A case of one chart in the folder `chart`, with a Chart.yaml where none is given. A path that begins with a slash is from the repository's root. */
export function chart(name: string, files: CorpusFiles, more: Partial<CorpusCase> = {}): CorpusCase {
  const all = Object.entries({'Chart.yaml': chartYaml, ...files}).map(([path, content]) => [
    path.startsWith('/') ? path.slice(1) : `chart/${path}`,
    content,
  ])
  return {name, path: 'chart', files: Object.fromEntries(all), ...more}
}

/** A ConfigMap's template: each line of data is what the expression gives, as a quoted string. */
export function mapOf(name: string, expressions: readonly string[]): string {
  const lines = expressions.map((each, index) => `  e${index}: {{ ${each} | toString | quote }}\n`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${lines.join('')}`
}

/** An object of any kind as a template. */
export function objectOf(apiVersion: string, kind: string, name: string, rest = ''): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${rest}`
}

/** Packs a chart as `helm package` does. */
export async function packChart(name: string, files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const tar = pack()
  for (const [path, content] of Object.entries(files)) tar.entry({name: `${name}/${path}`, mtime: new Date(0)}, content)
  const parts: Uint8Array[] = []
  const end = new Promise<void>((resolve) => tar.on('end', () => resolve()))
  tar.on('data', (part) => void (part instanceof Uint8Array && parts.push(part)))
  tar.finalize()
  await end
  return gzipSync(Buffer.concat(parts))
}
