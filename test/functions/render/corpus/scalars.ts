// Scalars and layouts of YAML. What they mean is not written here but asked of kubectl, save for those of `known`, which say it
// so that the asking itself is checked.

/** Scalars of one line each, between bars or line ends. */
function split(text: string): string[] {
  return text.trim().split(/\n *| ¦ /)
}

/** Scalars as JSON strings: those of several lines, with spaces around or letters that nobody sees. */
function json(text: string): string[] {
  return JSON.parse(`[${text}]`)
}

const signs = ['', '-', '+'] as const
const numbers = [
  ...split(`
    0 ¦ 1 ¦ 7 ¦ 00 ¦ 007 ¦ 0777 ¦ 08 ¦ 09 ¦ 0779 ¦ 0o7 ¦ 0o17 ¦ 0O17 ¦ 0o8 ¦ 0b1 ¦ 0b1010 ¦ 0B11 ¦ 0b2 ¦ 0b ¦ 0x1F
    0xff ¦ 0X1f ¦ 0xg ¦ 0x ¦ 0XB4 ¦ 0x1.8p1 ¦ 0x1p4 ¦ 0x_1 ¦ 1_000 ¦ 1__0 ¦ 1_ ¦ _1 ¦ 1_000.5 ¦ 0.1_0 ¦ ._5 ¦ 0_7
    1,000 ¦ 1.0 ¦ 1.10 ¦ 1. ¦ .1 ¦ .5e1 ¦ 1.5e3 ¦ 1e3 ¦ 1E3 ¦ 1e+3 ¦ 1e-3 ¦ 1e ¦ 1e+ ¦ 1.e3 ¦ .e1 ¦ e1 ¦ 1e1.5 ¦ 1e0_25
    1E0_25 ¦ 12e03 ¦ 685230.15e+03 ¦ 1e400 ¦ 1e-400 ¦ 0e0 ¦ 1e21 ¦ 1e20 ¦ 123456789.123456789 ¦ 0.1
    0.30000000000000004 ¦ 1.7976931348623157e308 ¦ 5e-324 ¦ 1.2.3 ¦ 1.2.3.4 ¦ 1:30 ¦ 12:30:45 ¦ 190:20:30 ¦ 60:00
    1:2:3.5 ¦ 1-2 ¦ 1/2 ¦ 10% ¦ 1m ¦ 100m ¦ 1Gi ¦ 1e3Mi ¦ 5s ¦ 2147483647 ¦ 2147483648 ¦ 9007199254740991
    9007199254740992 ¦ 9007199254740993 ¦ 9223372036854775807 ¦ 9223372036854775808 ¦ 9223372036854775809 ¦ 18446744073709551615
    9.223372036854775807e+18 ¦ 9.223372036854775808e+18 ¦ 9223372036854776000 ¦ 18446744073709552000 ¦ 18446744073709551616 ¦ 123456789012345678901234567890 ¦ 0x7fffffffffffffff ¦ 0xffffffffffffffff
    0777777777777777777777 ¦ inf ¦ Inf ¦ infinity ¦ nan ¦ NaN ¦ .inf ¦ .Inf ¦ .INF ¦ .iNF ¦ .nan ¦ .NaN ¦ .NAN ¦ .
  `),
]

const words = [
  ...split(String.raw`
    y ¦ Y ¦ yes ¦ Yes ¦ YES ¦ yEs ¦ n ¦ N ¦ no ¦ No ¦ NO ¦ nO ¦ on ¦ On ¦ ON ¦ oN ¦ off ¦ Off ¦ OFF ¦ ofF ¦ true ¦ True
    TRUE ¦ tRUE ¦ false ¦ False ¦ FALSE ¦ fALSE ¦ t ¦ f ¦ T ¦ F ¦ ~ ¦ null ¦ Null ¦ NULL ¦ nULL ¦ nil ¦ none
    2024-01-01 ¦ 2024-1-1 ¦ 2024-01-01T00:00:00Z ¦ 2024-01-01 00:00:00 ¦ 2024-01-01T00:00:00.5+02:00 ¦ 20240101 ¦ 12:00
    2024-13-45 ¦ 2024-01 ¦ e1234567 ¦ 0e1234 ¦ 1e10 ¦ 12e4567 ¦ 1234567 ¦ 0123456 ¦ 00e1 ¦ deadbee ¦ 1e1234567 ¦ 9e99
    0x ¦ v1.2.3 ¦ 1.25 ¦ 20.04 ¦ 3.10 ¦ a1b2c3d ¦ 123e456 ¦ 5e5e5e5 ¦ = ¦ << ¦ < ¦ =a ¦ .. ¦ ...a ¦ - ¦ -- ¦ -a ¦ --a
    -. ¦ +. ¦ + ¦ - a ¦ -- a ¦ --- a ¦ ---a ¦ ? ¦ ?a ¦ ? a ¦ : ¦ :a ¦ : a ¦ a: ¦ a: b ¦ a:b ¦ a :b ¦ :: ¦ # ¦ #a ¦ a#b
    a #b ¦ % ¦ %a ¦ @a ¦ ! ¦ !! ¦ !a ¦ ! a ¦ &a ¦ &a b ¦ *a ¦ ** ¦ | ¦ > ¦ |a ¦ >a ¦ | a ¦ , ¦ ,a ¦ a,b ¦ ] ¦ } ¦ a]
    a} ¦ { ¦ [ ¦ {} ¦ [] ¦ { } ¦ [ ] ¦ {a} ¦ {a: b} ¦ {a: } ¦ {a:b} ¦ {"a":b} ¦ {"a": b} ¦ {a, b: c}
    {? a : b} ¦ {a: [b, {c: d}]} ¦ {a: b,} ¦ {,} ¦ {a: b c, d} ¦ [a] ¦ [a, b] ¦ [a,b] ¦ [a, ] ¦ [a,, b] ¦ [a: b]
    [a: b, c: d] ¦ [? a : b] ¦ [[], {}] ¦ [ [a], [b] ] ¦ [a b, c d] ¦ [-1, - 1] ¦ [yes, 0777, 1e3, ~, .] ¦ [a#b] ¦ [#a]
    [a #b] ¦ {a: b #c} ¦ http://example.com ¦ http://example.com:80/a?b=c#d ¦ a@b.c ¦ /a/b ¦ ./a ¦ ../a ¦ ~/a ¦ $HOME
    $(A) ¦ {{ a }} ¦ {{a}} ¦ %{a} ¦ a=b ¦ a;b ¦ a\b ¦ C:\dir ¦ a"b ¦ a'b ¦ a''b ¦ "a" b ¦ 'a' b ¦ \n
  `),
  ...json(String.raw`
    "", "- ", "a\t#b", "\u0060a\u0060", "\u0024{A}", "\\", "ü", "\u2603", "\ud83d\ude00", "a\u00a0b", "\u00a0a", "a\u2028b",
    "a\u2029b", "a\u0085b", "a\ufeffb", "\ufeffa", "e\u0301", "\u200b", "\ud7ff", "\ufffd", "\ufffe", "\uffff",
    "a\u007fb", "a\u0000b", "a\u0001b", "a\u001bb", "a\tb", "\ta", "a\t", "a ", " a", "\u0663", "\uff11"
  `),
]

const quoted = [
  ...split(String.raw`
    "a" ¦ "0777" ¦ "yes" ¦ "" ¦ " a " ¦ "a\nb" ¦ "\t\r\0\a\b\e\f\v" ¦ "\x41\u263a\U0001F600" ¦ "\ud83d\ude00"
    "\ud83d" ¦ "\N\_\L\P" ¦ "\/" ¦ "\\" ¦ "\"" ¦ "\q" ¦ "\x4" ¦ "\u12" ¦ "\U00110000" ¦ "a ¦ a" ¦ "a" "b" ¦ "a"b
    "a": b ¦ "a":b ¦ "#a" ¦ "a #b" ¦ "{a: b}" ¦ "---" ¦ "\ " ¦ 'a' ¦ '0777' ¦ '' ¦ ' a ' ¦ 'it''s' ¦ 'a\nb' ¦ 'a ¦ 'a'b
    'a' 'b' ¦ '"' ¦ '#a' ¦ 'a: b' ¦ '---' ¦ '''' ¦ '''
  `),
  ...json(String.raw`
    "\"\\\t\"", "\"a\tb\"", "\"a\\", "\"\u0001\"", "\"\u007f\"", "\"é\"", "'a\tb'"
  `),
]

const tagged = [
  ...split(`
    !!str 1 ¦ !!str yes ¦ !!str ~ ¦ !!str ¦ !!str "a" ¦ !!str [a] ¦ !!int 1 ¦ !!int "1" ¦ !!int 0777 ¦ !!int 1.5
    !!int a ¦ !!int ~ ¦ !!float 1 ¦ !!float "1.5" ¦ !!float 1e3 ¦ !!float a ¦ !!float .inf ¦ !!bool yes ¦ !!bool "true"
    !!bool 1 ¦ !!bool a ¦ !!null ~ ¦ !!null "" ¦ !!null a ¦ !!binary aGk= ¦ !!binary "aGk=" ¦ !!binary ***
    !!binary /w== ¦ !!timestamp 2024-01-01 ¦ !!timestamp a ¦ !!map {a: b} ¦ !!map [a] ¦ !!seq [a] ¦ !!seq {a: b}
    !!set {a, b} ¦ !!omap [a: 1] ¦ !!pairs [a: 1] ¦ !!merge << ¦ !!foo 1 ¦ !!python/object a ¦ !foo x ¦ !foo 1
    !foo 0777 ¦ !foo yes ¦ !foo ~ ¦ !foo ¦ !foo "1" ¦ !foo [1, 2] ¦ !foo {a: 1} ¦ !<tag:yaml.org,2002:str> 1
    !<tag:yaml.org,2002:int> "1" ¦ !<x> 1 ¦ !<> 1 ¦ !e!x 1 ¦ ! 1 ¦ ! "1" ¦ ! yes ¦ !foo &a 1 ¦ &a !foo 1 ¦ &a !!str 1
    !!str &a 1 ¦ !Ref a ¦ !GetAtt a.b
  `),
  ...json(String.raw`
    "!vault |\n    a\n    b", "!Sub \"\u0024{a}\""
  `),
]

const blocks = [
  ...json(String.raw`
    "|\n    a", "|\n    a\n", "|-\n    a\n", "|+\n    a\n\n", "|2\n    a", "|2\n      a", "|1-\n    a",
    "|+1\n    a", "|0\n    a", "|9\n    a", "|a\n    b", "| # words\n    a", "|# words\n    a",
    "|\n\n    a\n\n    b", "|\n    a\n      b\n    c", "|\n      a\n    b", ">\n    a\n    b",
    ">\n    a\n\n    b", ">\n    a\n      b\n    c", ">-\n    a\n    b\n", ">+\n    a\n\n\n",
    ">\n    a\n\n\n    b", ">\n\n    a", "|\n", ">\n", "|\n    \ta", "|\n\ta", "|\n    # no comment",
    "|\n    a: b\n    - c", "|\n    ---\n    a", "|\n    \"a", "|\n    a\r\n    b", "a\n    b", "a\n\n    b",
    "a\n    b: c", "a\n    - b", "a\n    #b\n    c", "\"a\n    b\"", "\"a\n\n    b\"", "\"a\\\n    b\"",
    "\"a \\\n    b\"", "'a\n    b'", "'a\n\n    b'", "\"a\n  b\"", "\"a\nb\"", "'a\nb'", "\"a\n    # b\"",
    "[a,\n    b]", "[a,\n  b]", "[a,\nb]", "{a: b,\n    c: d}", "{a: b,\nc: d}", "[\n    a\n    ]",
    "[\n  a\n  ]", "[a, # words\n    b]", "\n    a", "\n    - a\n    - b", "\n  - a\n  - b", "\n    a: b",
    "\n    \"a\":\n      b", "&x\n    a: b", "&x\n    - a", "!!map\n    a: b", "!foo\n    - a"
  `),
]

const unique = (all: readonly string[]): string[] => [...new Set(all)]

/** Scalars as they stand after `key: `. */
export const scalars: readonly string[] = unique([
  ...signs.flatMap((sign) => numbers.map((number) => sign + number)),
  ...words,
  ...quoted,
  ...tagged,
  ...blocks,
])

/** Keys as they stand before `: 1`. */
export const keys: readonly string[] = unique([
  ...split(String.raw`
    on ¦ off ¦ y ¦ n ¦ Y ¦ N ¦ yes ¦ NO ¦ true ¦ false ¦ null ¦ ~ ¦ "" ¦ 0777 ¦ 0o17 ¦ 0x1F ¦ 1 ¦ -1 ¦ +1 ¦ 1.0 ¦ 1.50
    1e3 ¦ 1e400 ¦ .5 ¦ . ¦ .inf ¦ .nan ¦ 9223372036854775807 ¦ 9223372036854775808 ¦ 18446744073709551615
    18446744073709551616 ¦ e1234567 ¦ 2024-01-01 ¦ 12:30 ¦ a b ¦ a.b/c ¦ "on" ¦ 'on' ¦ "a: b" ¦ "\n" ¦ a:b ¦ a#b ¦ -a
    - ¦ = ¦ << ¦ !!str on ¦ !!str 1 ¦ !!int "1" ¦ !foo a ¦ &a a ¦ &a on ¦ *a ¦ [a] ¦ {a: b} ¦ "a ¦ @a ¦ %a ¦ {{ a }}
    $ref ¦ 1_000 ¦ 0b11 ¦ !!binary aGk= ¦ !!float 1 ¦ !!null a ¦ !!bool yes
  `),
  ...json(String.raw`
    "? a\n ", "? [a]\n ", "? {a: b}\n ", "? |\n    a\n ", "\u0060a", "ü", "\ud83d\ude00", "a\tb"
  `),
])

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n'

export function asValue(scalar: string): string {
  return `${head}data:\n  v: ${scalar}\n`
}

export function asItem(scalar: string): string {
  return `${head}data:\n  v: [x, ${scalar}, {k: ${scalar}}]\n`
}

export function asListItem(scalar: string): string {
  return `${head}list:\n  - ${scalar}\n  - x\n`
}

export function asKey(key: string): string {
  return `${head}data:\n  ${key}: 1\n`
}

/** What some scalars mean, and the digits of some numbers, which have to arrive as they are. Sources: go-yaml v2, JSON. */
export const known: readonly {scalar: string; json: string | undefined}[] = [
  {scalar: '.', json: '"."'},
  {scalar: '-.', json: '"-."'},
  {scalar: '+.', json: '"+."'},
  {scalar: 'e1234567', json: '"e1234567"'},
  {scalar: '12e4567', json: '"12e4567"'},
  {scalar: '9223372036854775807', json: '9223372036854775807'},
  {scalar: '-9223372036854775808', json: '-9223372036854775808'},
  {scalar: '18446744073709551615', json: '18446744073709551615'},
  {scalar: '9007199254740993', json: '9007199254740993'},
  {scalar: '0777', json: '511'},
  {scalar: '0o17', json: '15'},
  {scalar: '0xff', json: '255'},
  {scalar: '0b1010', json: '10'},
  {scalar: '1_000', json: '1000'},
  {scalar: '1.10', json: '1.1'},
  {scalar: '1e3', json: '1000'},
  {scalar: '1.0', json: '1'},
  {scalar: '0.30000000000000004', json: '0.30000000000000004'},
  {scalar: 'y', json: 'true'},
  {scalar: 'off', json: 'false'},
  {scalar: 'oN', json: '"oN"'},
  {scalar: '~', json: 'null'},
  {scalar: '', json: 'null'},
  {scalar: '12:30:45', json: '"12:30:45"'},
  {scalar: '2024-01-01', json: '"2024-01-01"'},
  {scalar: '2024-01-01T00:00:00Z', json: '"2024-01-01T00:00:00Z"'},
  {scalar: '!foo x', json: '"x"'},
  {scalar: '!!float 1', json: '1'},
  {scalar: '!!str 1', json: '"1"'},
  {scalar: '!!binary aGk=', json: '"hi"'},
  {scalar: '"one\n  two"', json: '"one two"'},
  {scalar: '["sh",\n  "-c"]', json: '["sh","-c"]'},
  {scalar: '.inf', json: undefined},
  {scalar: '.nan', json: undefined},
  {scalar: '@a', json: undefined},
  {scalar: 'a: b', json: undefined},
]

/** What some keys are called. */
export const knownKeys: readonly {key: string; name: string | undefined}[] = [
  {key: 'on', name: 'true'},
  {key: 'y', name: 'true'},
  {key: 'n', name: 'false'},
  {key: '0777', name: '511'},
  {key: '1.50', name: '1.5'},
  {key: '"on"', name: 'on'},
  {key: '2024-01-01', name: '2024-01-01'},
  {key: 'null', name: undefined},
]

const piece = [
  '0',
  '1',
  '7',
  '9',
  'x',
  'o',
  'b',
  'e',
  'E',
  '.',
  '-',
  '+',
  '_',
  ':',
  'y',
  'n',
  'f',
  'a',
  'F',
  'T',
  ' ',
  '~',
  'inf',
  'nan',
  'true',
  'null',
  'on',
] as const
const anything = [
  ...piece,
  '"',
  "'",
  '#',
  '&',
  '*',
  '!',
  '!!',
  '|',
  '>',
  '%',
  '@',
  '`',
  '{',
  '}',
  '[',
  ']',
  ',',
  '?',
  '\n',
  '\n  ',
  '\n    ',
  '\t',
  '\\',
  ': ',
  '- ',
  ' #',
  'é',
  '<<',
] as const

/** The parts that generated scalars are made of: those of numbers and words, and those of all of YAML. */
export const pieces = {number: piece, any: anything} as const
