import {text} from './corpus-case.ts'

/** A whole file, and where this product on purpose does not read it as kubectl does. */
export interface Layout {
  name: string
  content: string | Uint8Array
  /** Refused by this product with a line, though kubectl takes it. */
  stricter?: {line: number}
}

const one = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n'
const two = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: two\n'
const json =
  '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json"}, "n": 9223372036854775807, "f": 1.0}'
const thing = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\n'

function bytes(...parts: (string | number[])[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)))
}

const streams: readonly [string, string][] = [
  ['one document', one],
  ['two documents', `${one}---\n${two}`],
  ['a separator before and after', `---\n${one}---\n`],
  ['empty documents', `---\n---\n${one}---\n\n---\n# words\n---\n${two}---\n---\n`],
  ['null documents', `null\n---\n~\n---\n${one}`],
  ['a separator with spaces behind it', `${one}---  \t\n${two}`],
  ['a separator with a comment', `${one}--- # words\n${two}`],
  ['a separator with a document on its line', `${one}--- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n`],
  ['a separator with text behind it', `${one}---text\n${two}`],
  ['a separator of four', `${one}----\n${two}`],
  ['an indented separator', `${one} ---\n${two}`],
  ['a separator in a block', `${one}data:\n  a: |\n    x\n    ---\n    y\n---\n${two}`],
  ['a separator at the margin of a block', `${one}data:\n  a: |\n---\n${two}`],
  ['a separator in quotes at the margin', `${one}data:\n  a: "x\n---\n  y"\n`],
  ['the end of a document', `${one}...\n---\n${two}...\n`],
  ['the end of a document and no separator', `${one}...\n${two}`],
  ['a directive', `%YAML 1.1\n---\n${one}`],
  ['a directive of another version', `%YAML 1.2\n---\n${one}`],
  ['a directive of a tag', `%TAG !e! tag:example.com,2024:\n---\n${one}data: {a: !e!x y}\n`],
  ['an unknown directive', `%FOO bar\n---\n${one}`],
  ['Windows lines', `${one}---\n${two}`.replaceAll('\n', '\r\n')],
  ['old lines of a Mac', one.replaceAll('\n', '\r')],
  ['no newline at the end', `${one}data:\n  a: b`],
  ['a BOM', `\ufeff${one}`],
  ['a BOM before a separator', `\ufeff---\n${one}`],
  ['a BOM behind a separator', `${one}---\n\ufeff${two}`],
  ['a BOM within a line', `${one}data:\n  a: \ufeffb\n`],
  ['a tab as indentation', `${one}data:\n\ta: b\n`],
  ['tabs behind', 'apiVersion:\tv1\t\nkind: ConfigMap\t# words\nmetadata:\n  name: one\n'],
  ['tabs on an empty line', `${one}\t\ndata:\n  a: b\n`],
  ['comments everywhere', `# a\n${one} # b\n# c\ndata: # d\n  # e\n  a: b # f\n# g\n`],
  ['JSON', json],
  ['JSON over lines', JSON.stringify(JSON.parse(json), null, 2)],
  ['JSON with tabs', JSON.stringify({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}}, null, '\t')],
  ['two of JSON', `${json}\n${json.replace('"json"', '"json2"')}`],
  ['JSON and a separator', `${json}\n---\n${json.replace('"json"', '"json2"')}\n`],
  ['JSON behind a separator', `---\n${json}\n`],
  ['JSON, then YAML', `${json}\n---\n${one}`],
  ['YAML, then JSON', `${one}---\n${json}\n`],
  ['YAML that begins as JSON does', '{apiVersion: v1, kind: ConfigMap, metadata: {name: flow}}\n'],
  ['JSON with a comment', `# words\n${json}\n`],
  [
    'JSON with escapes',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"\\u00e9\\ud83d\\ude00\\/\\b"}}',
  ],
  ['JSON with a comma too many', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a",},}'],
  ['JSON that ends early', '{"apiVersion":"v1","kind":"ConfigMap"'],
  ['JSON lines', `${json}\n\n${json.replace('"json"', '"json2"')}\n`],
  ['a list of objects', `- ${json}\n`],
  ['text', 'just words\n'],
  ['a number', '1\n'],
  ['nothing', ''],
  ['a newline', '\n'],
  ['words of a comment', '# words\n'],
]

const structures: readonly [string, string][] = [
  ['a sequence at its key', `${thing}spec:\n- a\n- b\n`],
  ['a sequence of maps at their key', `${thing}spec:\n- a: 1\n  b: 2\n- a: 3\n`],
  ['sequences of sequences', `${thing}spec:\n- - a\n  - b\n-\n  - c\n- []\n`],
  ['a map on the line of a dash', `${thing}spec:\n-   a: 1\n    b: 2\n`],
  ['an empty item', `${thing}spec:\n-\n- a\n-\n`],
  ['a flow sequence that goes on at the column of its key', `${thing}spec:\n  command: ["sh",\n  "-c", "true"]\n`],
  ['a flow sequence that goes on left of its key', `${thing}spec:\n  command: ["sh",\n"-c", "true"]\n`],
  ['a flow map that goes on at the column of its key', `${thing}spec:\n  m: {a: 1,\n  b: 2\n  }\n`],
  ['a flow that closes at the margin', `${thing}spec: [\n  a,\n  b\n]\n`],
  ['a quoted scalar that goes on at the column of its key', `${thing}data:\n  v: "one\n  two"\n`],
  ['a quoted scalar that goes on at the margin', `${thing}data:\n  v: "one\ntwo"\n`],
  ['a plain scalar that goes on', `${thing}data:\n  v: one\n    two\n     three\n`],
  ['a plain scalar that goes on at the column of its key', `${thing}data:\n  v: one\n  two\n`],
  ['a long key', `${thing}data:\n  ${'k'.repeat(200)}: 1\n`],
  ['a key of 1,100 letters', `${thing}data:\n  ${'k'.repeat(1100)}: 1\n`],
  ['a key in quotes over lines', `${thing}data:\n  "a\n  b": 1\n`],
  ['explicit keys', `${thing}data:\n  ? a\n  : 1\n  ? b\n  ? c\n  :\n    - d\n`],
  ['a colon without a space', `${thing}data:\n  a:1\n`],
  ['wrong indentation', `${thing}data:\n   a: 1\n  b: 2\n`],
  ['deeper indentation', `${thing}data:\n  a: 1\n    b: 2\n`],
  ['a map and a sequence at once', `${thing}data:\n  a: 1\n  - b\n`],
  [
    'an anchor used 120 times',
    `${thing}base: &a {x: [1, 2]}\nspec:\n${Array.from({length: 120}, (_, index) => `  k${index}: *a\n`).join('')}`,
  ],
  [
    'merge keys',
    `${thing}base: &a {x: 1, y: 2}\nmore: &b {y: 3, z: 4}\nspec:\n  <<: *a\n  y: 9\nboth:\n  <<: [*a, *b]\n`,
  ],
  ['a merge key of no map', `${thing}base: &a 1\nspec:\n  <<: *a\n`],
  ['a merge key with a map of its own', `${thing}spec:\n  <<: {a: 1}\n  b: 2\n`],
  ['a merge after the key', `${thing}base: &a {x: 1}\nspec:\n  x: 2\n  <<: *a\n`],
  ['an anchor of another document', `${thing}base: &a 1\n---\n${one}data: {x: *a}\n`],
  ['an anchor twice', `${thing}a: &x 1\nb: &x 2\nc: *x\n`],
  ['an anchor of a key', `${thing}&k key: 1\nother: *k\n`],
  ['an alias as a key', `${thing}a: &k key\n*k : 1\n`],
  ['an alias within itself', `${thing}a: &x [*x]\n`],
  ['an alias that is not there', `${thing}a: *nothing\n`],
  [
    'aliases without bound',
    `${thing}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({length: 12}, (_, level) => `a${level + 1}: &a${level + 1} [${Array.from({length: 10}, () => `*a${level}`).join(', ')}]\n`).join('')}`,
  ],
  ['nested 200 deep in brackets', `${thing}a: ${'['.repeat(200)}${']'.repeat(200)}\n`],
  [
    'nested 200 deep by indentation',
    `${thing}${Array.from({length: 200}, (_, level) => `${' '.repeat(level)}k:\n`).join('')}`,
  ],
  ['nested 20,000 deep', `${thing}a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`],
  ['tags on everything', `${thing}a: !!map\n  !!str b: !!seq\n  - !!int "1"\n  - !foo {c: !bar d}\n`],
  [
    'null as a map and a list',
    `${thing}metadata:\n  name: t\n  labels:\n  annotations: ~\nspec:\n`.replace('metadata: {name: t}\n', ''),
  ],
  ['a name that is a number', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 123\n'],
  ['a List of objects', `apiVersion: v1\nkind: List\nitems:\n- ${json}\n- ${json.replace('"json"', '"json2"')}\n`],
  ['keys that mean the same', `${one}data:\n  on: 1\n  yes: 2\n`],
  ['an apiVersion that is a number', 'apiVersion: 1\nkind: ConfigMap\nmetadata:\n  name: a\n'],
  [
    'a git short hash as a label',
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    commit: e1234567\n    zone: 12e4567\n',
  ],
  [
    'a definition with big bounds',
    text`
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: {name: things.example.com}
      spec:
        group: example.com
        versions:
        - name: v1
          schema:
            openAPIV3Schema:
              properties:
                a: {type: integer, format: int64, maximum: 9223372036854775807, minimum: -9223372036854775808}
                b: {type: number, maximum: 18446744073709551615, minimum: 0.1, multipleOf: 1e-7}
      `,
  ],
  [
    'an Application of Argo CD',
    text`
      apiVersion: argoproj.io/v1alpha1
      kind: Application
      metadata: {name: a}
      spec:
        source: {path: ., targetRevision: 1e10, repoURL: "https://example.com"}
        destination: {server: https://kubernetes.default.svc}
      `,
  ],
]

/** What kubectl takes and this product refuses on purpose, at a line. */
const stricter: readonly [string, string, number][] = [
  ['a key twice', `${one}data:\n  a: 1\n  a: 2\n`, 7],
  ['a key twice in brackets', `${one}data: {a: 1, a: 2}\n`, 5],
  ['a key twice, once in quotes', `${one}data:\n  a: 1\n  "a": 2\n`, 7],
  ['a key twice in the second document', `${one}---\n${two}kind: Secret\n`, 10],
  ['a key twice at the top', `${one}kind: Secret\n`, 5],
  ['a generateName of what is no hook', 'apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n', 1],
]

/** Files whose reading kubectl decides. */
export const layouts: readonly Layout[] = [
  ...streams.map(([name, content]) => ({name, content})),
  ...structures.map(([name, content]) => ({name, content})),
  ...stricter.map(([name, content, line]) => ({name, content, stricter: {line}})),
  {name: 'a Latin-1 byte in a string', content: bytes(`${one}data:\n  a: gr`, [0xfc], 'n\n'), stricter: {line: 6}},
  {name: 'a Latin-1 byte in a comment', content: bytes(`${one}# gr`, [0xfc], 'n\n'), stricter: {line: 5}},
  {name: 'half of a letter', content: bytes(`${one}data:\n  a: "`, [0xe2, 0x98], '"\n'), stricter: {line: 6}},
  {name: 'a surrogate as bytes', content: bytes(`${one}data:\n  a: "`, [0xed, 0xa0, 0x80], '"\n'), stricter: {line: 6}},
  {name: 'a letter written too long', content: bytes(`${one}data:\n  a: "`, [0xc0, 0xaf], '"\n'), stricter: {line: 6}},
  {name: 'NUL in a string', content: bytes(`${one}data:\n  a: "x`, [0], 'y"\n')},
  {name: 'NUL in a comment', content: bytes(`${one}# x`, [0], '\n')},
  {name: 'a control character', content: bytes(`${one}data:\n  a: "x`, [7], 'y"\n')},
  {name: 'an escape character in a block', content: bytes(`${one}data:\n  a: |\n    x`, [0x1b], '[0m\n')},
  {name: 'UTF-16', content: Buffer.from(`\ufeff${one}`, 'utf16le'), stricter: {line: 1}},
  {
    name: 'a large file',
    content: `${one}data:\n${Array.from({length: 5000}, (_, index) => `  k${index}: "${'x'.repeat(80)}"\n`).join('')}`,
  },
]

/** Files that are no manifests, and what each is to be called by name. */
export const foreignFiles: readonly {name: string; path: string; content: string | {link: string}; says: RegExp}[] = [
  {name: 'a package.json', path: 'package.json', content: '{"name": "x", "version": "1.0.0"}', says: /package\.json/},
  {name: 'a dangling symlink', path: 'README.yaml', content: {link: 'nope'}, says: /README\.yaml/},
  {
    name: 'a template of helm',
    path: 'deploy.yaml',
    content: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n',
    says: /template/,
  },
  {
    name: 'a kustomization further down',
    path: 'nested/kustomization.yaml',
    content: 'resources: [a.yaml]\n',
    says: /kustomization/,
  },
  {
    name: 'a pointer of Git LFS',
    path: 'big.yaml',
    content:
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n',
    says: /LFS/,
  },
]
