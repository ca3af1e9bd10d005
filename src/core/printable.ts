/**
 * Turns foreign text into text that is safe to show on a terminal or to put on one line of a log.
 *
 * Not: C0 and C1 control characters, DEL, the line and paragraph separators, and the marks that turn the direction of
 * writing (which make a line read as another one) never come through as they are.
 */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with every unprintable character written as `\n`, `\r`, `\t` or `\u` and four digits. */
export function escapeUnprintable(text: string): string {
  const longEscape = (char: string): string => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");
  return text.replace(UNPRINTABLE, (char) => SHORT_ESCAPES[char] ?? longEscape(char));
}

/** The text as a JSON string literal without unprintable characters; `JSON.parse` gives the text back. */
export function quote(text: string): string {
  return escapeUnprintable(JSON.stringify(text));
}

/** The start of the text, at most `maxLength` UTF-16 units, with a mark where something was cut off. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // A pair cut in half would be a lone surrogate, which no encoding can write.
  const isHighSurrogate = (text.charCodeAt(maxLength - 1) & 0xfc00) === 0xd800;
  return text.slice(0, isHighSurrogate ? maxLength - 1 : maxLength) + "…";
}
