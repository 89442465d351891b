/** Cuts a text to at most `most` characters (code points), with an ellipsis as the last where something was cut, and makes it one line. */
export function cutText(text: string, most: number): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()]
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`
}
