/** What stands in the place of a secret. */
const HIDDEN = '[hidden]'

/** Longer texts are cut: nobody reads more, and each pattern goes over all of it. */
const MAX_LENGTH = 8_000
const words =
  'pass(?:word|wd|phrase|code)?|pwd|secret|token|credential|authorization|api[-_]?key|private[-_]?key|access[-_]?key|signing[-_]?key|encryption[-_]?key'
/** A name with such a word at its end, as of a variable, a flag or a member. */
const name = `[\\w.-]{0,80}(?<![a-z](?=pass(?:[^a-z]|$)))(?:${words})s?(?:[-_.]?(?:base64|b64|value|text|string|key|id|hash))?`
const separator = '\\s*(?:=>|:=|[:=])\\s*'
/** A closed quotation, or all to the end of the line: a secret may have any character in it. */
const value = `(?:"(?:[^"\\\\\\n]|\\\\.)*"(?=[\\s,;)}\\]]|$)|'[^'\\n]*'(?=[\\s,;)}\\]]|$)|[^\\n]+)`
const quoted = `(?:"(?:[^"\\\\]|\\\\.)*"?|'[^']*'?)`

const patterns: readonly [RegExp, string][] = [
  [/-----BEGIN [^-\n]+-----[\s\S]*?(?:-----END [^-\n]+-----|$)/g, HIDDEN],
  // scheme://user:password@host, up to the last @ since a password may hold one. An image's digest is none.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)\S+@(?!sha256:)/gi, `$1${HIDDEN}@`],
  // user:password@host, as database drivers take it
  [/(?<![\w.:/@-])[\w.-]+:(?!\/\/)[^\s@]+@(?!sha256:)/g, `${HIDDEN}@`],
  // {"name": "DB_PASSWORD", "value": "…"}
  [
    new RegExp(`(\\bname["']?${separator}["']?${name}["']?\\s*[,\\n]\\s*["']?value["']?${separator})[^\\n]+`, 'gi'),
    `$1${HIDDEN}`,
  ],
  // --password …
  [new RegExp(`((?<![\\w-])--?${name}["',\\s]+)(?:${quoted}|\\S+)`, 'gi'), `$1${HIDDEN}`],
  // password "…"; a Secret's own name is none
  [new RegExp(`(\\b(?!secrets?\\b)${name}\\s+)${quoted}`, 'gi'), `$1${HIDDEN}`],
  // password=…, token: "…"; but not `failed to get a token: it timed out`
  [
    new RegExp(
      `(?!(?<=[a-z]\\s|/)(?:tokens?|secrets?|credentials?): (?:[a-z]{2,}|\\d{3}) )(["']?${name}["']?${separator})(?!\\[hidden\\])(?=\\S)${value}`,
      'gi',
    ),
    `$1${HIDDEN}`,
  ],
  [/\b(bearer|basic|digest)\s+(?!\[hidden\])\S+/gi, `$1 ${HIDDEN}`],
  // What is made so that it can be told from other words.
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/g, HIDDEN],
  [/\b(?:[spr]k[-_](?:live|test|prod|proj|ant|or|svcacct)[-_][\w-]{6,}|sk-[\w-]{20,}|whsec_\w{6,})/g, HIDDEN],
  [
    /\b(?:gh[oprsu]_|github_pat_|gl(?:pat|dt|ptt|rt|cbt|soat|ft|imt|agent)-|xox[a-z]-|xapp-|AIza|hv[bsr]\.|npm_(?=\w{30})|pypi-AgE|dop_v1_|SG\.|AGE-SECRET-KEY-|eyJ)[\w.+/=-]{8,}/g,
    HIDDEN,
  ],
  // What looks drawn at random: long hexadecimals but for digests, and long words of capitals, small letters and digits.
  [/(?<!sha256:)\b[0-9a-f]{32,}\b/gi, HIDDEN],
  [/(?<![\w+=-])(?=[\w+=-]*\d)(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])[\w+=-]{24,}/g, HIDDEN],
]

/**
 * Takes out of a text what looks like a secret: what follows a word such as `password`, what a URL says of its user, and what has the
 * shape of a key. It errs towards hiding, and can only guess: what is known to be a secret must not get here.
 */
export function hideSecrets(text: string): string {
  return patterns.reduce(
    (shown, [pattern, replacement]) => shown.replace(pattern, replacement),
    text.slice(0, MAX_LENGTH),
  )
}

const secretName = new RegExp(`(?:${words})s?(?![a-z])|[-_]key$|[a-z]Key$`, 'i')

/** Tells whether a name, as of a variable or a field, is one that secrets have. */
export function isSecretName(text: string): boolean {
  return secretName.test(text)
}
