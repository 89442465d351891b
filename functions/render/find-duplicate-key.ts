import {type Document, isCollection, isMap, isNode, isPair, isScalar} from 'yaml'

/**
 * Where a document repeats a key of a mapping: the key's offset in the text; undefined where none is repeated. The parser's own
 * check compares each key with all before it, so that a file of some 200 KB would hold it up for minutes.
 */
export function findDuplicateKey(document: Document): number | undefined {
  const todo: unknown[] = [document.contents]
  let first: number | undefined
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (!isCollection(node)) continue
    const seen = new Set<unknown>()
    for (const item of node.items) {
      if (!isPair(item)) {
        todo.push(item)
        continue
      }
      const {key, value} = item
      const name = isScalar(key) ? key.value : key
      const at = isNode(key) ? (key.range?.[0] ?? 0) : 0
      if (isMap(node) && seen.has(name) && (first === undefined || at < first)) first = at
      seen.add(name)
      todo.push(key, value)
    }
  }
  return first
}
