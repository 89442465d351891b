/**
 * What a terminal acts on in place of showing it: C0 but for tab and newline, DEL, C1, and what turns the direction of a text (Unicode TR 9), which
 * makes one name look like another.
 */
const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const breaks = /[\t\n\u2028\u2029]/g

/** Writes what a terminal would act on as `\u001b`, which within a text of JSON is the same character. Newlines and tabs stay. */
export function escapeControls(text: string): string {
  return text.replace(controls, escapeOne)
}

/** The same for a text that must stay on its line. */
export function escapeToLine(text: string): string {
  return escapeControls(text).replace(breaks, escapeOne)
}

function escapeOne(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
