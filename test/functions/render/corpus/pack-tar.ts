import {gzipSync} from 'node:zlib'

/** One entry of an archive: a file, or a link. */
export type TarEntry = {name: string; content: string} | {name: string; link: string; hard?: true}

/**
 * Packs a gzipped archive whose entries are exactly these, names that no honest tool would write included. Source: POSIX ustar
 * interchange format.
 */
export function packTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from('content' in entry ? entry.content : '')
    const rest = Buffer.alloc((512 - (content.length % 512)) % 512)
    return [headerOf(entry, content.length), content, rest]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

function headerOf(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(512)
  const type = 'content' in entry ? '0' : entry.hard === true ? '1' : '2'
  header.write(entry.name, 0, 100)
  header.write('0000644', 100)
  header.write('0000000', 108)
  header.write('0000000', 116)
  header.write(size.toString(8).padStart(11, '0'), 124)
  header.write('0'.repeat(11), 136)
  header.write(' '.repeat(8), 148)
  header.write(type, 156)
  if ('link' in entry) header.write(entry.link, 157, 100)
  header.write('ustar', 257)
  header.write('00', 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(7, '0')} `, 148)
  return header
}
