/** Tells whether a file is what Git LFS leaves in git in place of the content. Source: git-lfs docs/spec.md, "The Pointer". */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return startsWith(bytes, 'version https://git-lfs.github.com/spec/')
}

/** What a file is that is no manifest, in words that follow "is"; undefined where nothing is known. */
export function describeForeign(path: string, bytes: Uint8Array): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (startsWith(bytes, '\0GITCRYPT\0')) return 'encrypted by git-crypt'
  if (startsWith(bytes, '$ANSIBLE_VAULT')) return 'encrypted by Ansible Vault'
  if (startsWith(bytes, 'age-encryption.org/') || startsWith(bytes, '-----BEGIN AGE ENCRYPTED FILE')) {
    return 'encrypted by age'
  }
  if (startsWith(bytes, '-----BEGIN PGP MESSAGE')) return 'encrypted by PGP'
  if (bytes.every(isBlank)) return 'empty'
  if (knownNames.has(name)) return `${name}, which is no manifest`
  const head = Buffer.from(bytes.subarray(0, headBytes)).toString('utf8')
  if (head.includes('{{') && head.includes('}}')) return 'a template (of helm, it seems) outside of a chart'
  return undefined
}

const headBytes = 65_536
const knownNames = new Set([
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'renovate.json',
  'composer.json',
  'pnpm-lock.yaml',
  '.pre-commit-config.yaml',
  'mkdocs.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  'compose.yaml',
  'Chart.yaml',
  'values.yaml',
  'skaffold.yaml',
])

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return bytes.length >= text.length && Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text
}
