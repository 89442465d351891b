/** Takes the text of a list of objects apart while it arrives, so that never more than one object of it is held. */
export interface ListSplitter {
  push(text: string): void
  /** The list without its items, once all of it came. */
  rest(): string
}

/** `onItem` gets the JSON of each item in turn; `onTooLong` is called in its place for one of more than `maxLength` characters. May throw what they throw. */
export function createListSplitter(
  maxLength: number,
  {onItem, onTooLong}: {onItem: (json: string) => void; onTooLong: () => void},
): ListSplitter {
  const frame: string[] = []
  let frameLength = 0
  let item: string[] = []
  let itemLength = 0
  let depth = 0
  let inText = false
  let escaped = false
  /** The next backslash of what is read now. */
  let backslash = -1
  /** The last text at the top level, which is the key of what follows. */
  let key = ''
  let inItems = false

  function keep(part: string): void {
    if (part === '') return
    if (inItems && depth >= 3) {
      itemLength += part.length
      if (itemLength <= maxLength) item.push(part)
      else item = []
      return
    }
    // Between items there are only commas.
    if (inItems && depth === 2) return
    if (depth === 1 && inText) key += part
    frameLength += part.length
    if (frameLength > maxLength) onTooLong()
    else frame.push(part)
  }

  function endItem(): void {
    const [parts, length] = [item, itemLength]
    item = []
    itemLength = 0
    if (length > maxLength) onTooLong()
    else onItem(parts.join(''))
  }

  /** Where a text that goes on at `from` ends: at its quote, or with what came so far. */
  function endOfText(text: string, from: number): number {
    let at = from
    if (escaped && at < text.length) {
      escaped = false
      at++
    }
    for (;;) {
      const quote = text.indexOf('"', at)
      const end = quote < 0 ? text.length : quote
      if (backslash < at) backslash = indexOrEnd(text, at)
      if (backslash >= end) return end
      at = backslash + 2
      escaped = at > text.length
      if (escaped) return text.length
    }
  }

  return {
    push(text) {
      let start = 0
      let at = 0
      backslash = -1
      const flush = (end: number) => {
        keep(text.slice(start, end))
        start = end
      }
      while (at < text.length) {
        if (inText) {
          const end = endOfText(text, at)
          at = end
          if (end === text.length) break
          if (depth === 1) flush(end)
          inText = false
          at = end + 1
          continue
        }
        const code = text.charCodeAt(at)
        at++
        if (code === QUOTE) {
          if (depth === 1) {
            flush(at)
            key = ''
          }
          inText = true
        } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
          // What opens belongs to what it opens: an item to itself, the list of them to the frame.
          if (depth <= 2) flush(at - 1)
          depth++
          if (depth === 2 && code === OPEN_LIST && key === 'items') {
            frame.push('[')
            start = at
            inItems = true
          }
        } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
          const endsItems = inItems && depth === 2
          if (depth <= 3) flush(endsItems ? at - 1 : at)
          depth--
          if (endsItems) inItems = false
          else if (inItems && depth === 2) endItem()
        }
      }
      flush(text.length)
    },
    rest: () => frame.join(''),
  }
}

function indexOrEnd(text: string, from: number): number {
  const found = text.indexOf('\\', from)
  return found < 0 ? text.length : found
}

const QUOTE = 0x22
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
