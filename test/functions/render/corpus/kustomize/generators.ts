import {type CorpusCase, text} from '../corpus-case.ts'
import {deployment, kustomization, referring} from './objects.ts'

const bytes = Uint8Array.from([0xff, 0xfe, 0x00, 0x01, 0x80, 0x0a])

/** configMapGenerator and secretGenerator with every source, option and behaviour. */
export const generatorCases: readonly CorpusCase[] = [
  kustomization(
    'literals with all that may stand in them',
    text`
      configMapGenerator:
      - name: literals
        literals:
        - a=1
        - b=
        - c=x=y=z
        - 'd="in double quotes"'
        - "e='in single quotes'"
        - f='open
        - g= space around 
        - "h=line one\\nline two"
        - i=true
        - j=0777
        - k.l-m_n=dots
        - unicode=grüße ☃
        - "dollar=$(NOT_A_VAR) $HOME"
      `,
    {},
    {shows: /d: in double quotes/},
  ),
  kustomization(
    'files by their own names and by others',
    text`
      configMapGenerator:
      - name: files
        files:
        - one.txt
        - other=one.txt
        - deep/two.properties
        - a.b=deep/two.properties
      `,
    {'one.txt': 'one\n', 'deep/two.properties': 'k=v\nno newline at the end'},
    {shows: /two.properties: \|-/},
  ),
  kustomization(
    'bytes that are no text',
    'configMapGenerator:\n- name: b\n  files: [raw.bin]\nsecretGenerator:\n- name: s\n  files: [raw.bin]\n',
    {'raw.bin': bytes},
    {shows: /binaryData:/},
  ),
  kustomization(
    'an empty file, one of spaces, one of Windows lines',
    'configMapGenerator:\n- name: c\n  files: [empty, spaces, windows]\n',
    {empty: '', spaces: '  \n \t\n', windows: 'a\r\nb\r\n'},
    {shows: /windows: "a\\r/},
  ),
  kustomization(
    'an env file with comments, BOM, Windows lines and quotes',
    'configMapGenerator:\n- name: e\n  envs: [a.env, b.env]\n',
    {
      'a.env': '\ufeffFIRST=1\r\n# words\r\n\r\n  INDENTED=2\r\nEMPTY=\r\nBARE\r\nQUOTED="x y"\r\n',
      'b.env': 'X=a=b\nTRAILING=space \n#C=1\nD.O.T=1\nD-A=2',
    },
    {shows: /QUOTED: /},
  ),
  kustomization(
    'env, the old word',
    'configMapGenerator:\n- name: e\n  env: a.env\n',
    {'a.env': 'A=1\n'},
    {
      shows: /A: "1"/,
    },
  ),
  kustomization(
    'secrets of every source and a type',
    text`
      secretGenerator:
      - name: s
        type: kubernetes.io/tls
        files: [tls.crt, tls.key=deep/key]
      - name: l
        literals: [password=hunter2, empty=]
        envs: [s.env]
      `,
    {'tls.crt': 'CERT\n', 'deep/key': 'KEY\n', 's.env': 'TOKEN=abc\n'},
    {shows: /type: kubernetes.io\/tls/},
  ),
  kustomization(
    'generatorOptions for all, options for one',
    text`
      generatorOptions:
        disableNameSuffixHash: true
        labels: {from: all}
        annotations: {note: "1"}
        immutable: true
      configMapGenerator:
      - name: a
        literals: [x=1]
      - name: b
        literals: [x=1]
        options:
          labels: {from: one, more: "2"}
          annotations: {other: "3"}
      `,
    {},
    {shows: /immutable: true/},
  ),
  kustomization(
    'options of one generator only',
    text`
      configMapGenerator:
      - name: plain
        literals: [x=1]
      - name: no-hash
        literals: [x=1]
        options: {disableNameSuffixHash: true, immutable: true}
      secretGenerator:
      - name: no-hash
        literals: [x=1]
        options: {disableNameSuffixHash: true}
      `,
    {},
    {shows: /name: no-hash\n/},
  ),
  kustomization(
    'a namespace of the generator and one of the kustomization',
    'namespace: outer\nconfigMapGenerator:\n- name: a\n  literals: [x=1]\n- name: b\n  namespace: outer\n  literals: [x=1]\n',
    {},
    {shows: /namespace: outer/},
  ),
  kustomization(
    'one name in two namespaces',
    'configMapGenerator:\n- {name: a, namespace: one, literals: [x=1]}\n- {name: a, namespace: two, literals: [x=2]}\n',
    {},
    {shows: /namespace: two/},
  ),
  kustomization(
    'references get the suffix hash',
    'resources: [web.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [a=1]\nsecretGenerator:\n- name: secrets\n  literals: [b=2]\n',
    {'web.yaml': referring('web')},
    {shows: /secretName: secrets-\w{10}/},
  ),
  kustomization(
    'references get prefix, suffix and hash',
    'namePrefix: p-\nnameSuffix: -s\nresources: [web.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [a=1]\n',
    {'web.yaml': referring('web')},
    {shows: /name: p-settings-s-\w{10}/},
  ),
  kustomization(
    'merge with a base',
    text`
      resources: [base]
      configMapGenerator:
      - name: m
        behavior: merge
        literals: [b=changed, c=new]
        options: {labels: {merged: "yes"}}
      secretGenerator:
      - name: s
        behavior: merge
        literals: [b=changed]
      `,
    {
      'base/kustomization.yaml': text`
        configMapGenerator:
        - name: m
          literals: [a=1, b=2]
          options: {annotations: {base: "yes"}}
        secretGenerator:
        - name: s
          literals: [a=1, b=2]
        `,
    },
    {shows: /b: changed/},
  ),
  kustomization(
    'replace what a base has',
    'resources: [base]\nconfigMapGenerator:\n- name: m\n  behavior: replace\n  files: [f]\n',
    {f: 'new\n', 'base/kustomization.yaml': 'configMapGenerator:\n- name: m\n  literals: [a=1]\n'},
    {shows: /^(?![\s\S]*a: "1")[\s\S]*f: \|/},
  ),
  kustomization('create, said aloud', 'configMapGenerator:\n- name: m\n  behavior: create\n  literals: [a=1]\n'),
  kustomization(
    'merge into a plain resource of a base',
    'resources: [base]\nconfigMapGenerator:\n- name: m\n  behavior: merge\n  literals: [b=2]\n',
    {
      'base/kustomization.yaml': 'resources: [m.yaml]\n',
      'base/m.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: "1"}\n',
    },
    {shows: /b: "2"/},
  ),
  kustomization(
    'merge upon a prefix and a namespace',
    'resources: [base]\nnamePrefix: top-\nconfigMapGenerator:\n- name: m\n  namespace: ns\n  behavior: merge\n  literals: [b=2]\n',
    {'base/kustomization.yaml': 'namespace: ns\nnamePrefix: b-\nconfigMapGenerator:\n- name: m\n  literals: [a=1]\n'},
    {shows: /name: top-b-m-\w{10}/},
  ),
  kustomization(
    'an empty generator',
    'configMapGenerator:\n- name: nothing\nsecretGenerator:\n- name: nothing\n',
    {},
    {shows: /name: nothing-\w{10}/},
  ),
  kustomization(
    'a plain object that asks for a hash gets none',
    'resources: [c.yaml, web.yaml]\n',
    {
      'c.yaml': text`
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: settings
          annotations: {kustomize.config.k8s.io/needs-hash: "true"}
        data: {a: b}
        `,
      'web.yaml': referring('web'),
    },
    {shows: /name: settings\n/},
  ),
  kustomization(
    'sources one upon another',
    'configMapGenerator:\n- name: all\n  envs: [a.env]\n  literals: [L=1]\n  files: [f]\n',
    {'a.env': 'E=1\n', f: 'F'},
    {shows: /E: "1"\n {2}L: "1"/},
  ),
  kustomization(
    'a file of 200 kB and one of many lines',
    'configMapGenerator:\n- name: big\n  files: [big.txt, lines.txt]\n',
    {'big.txt': 'x'.repeat(200_000), 'lines.txt': Array.from({length: 2000}, (_, line) => `line ${line}\n`).join('')},
  ),
  kustomization(
    'an image of a workload and a generated map in one kustomization',
    'resources: [d.yaml]\nimages: [{name: nginx, newTag: "9"}]\nconfigMapGenerator:\n- name: c\n  literals: ["image=nginx:1.25"]\n',
    {'d.yaml': deployment('d')},
    {shows: /image: nginx:9/},
  ),
]
