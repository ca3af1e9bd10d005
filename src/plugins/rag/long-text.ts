/**
 * A long text -> parts that can be worked on one after the other, which joined are the text again.
 *
 * Order: parts end at line ends where there are any, else at spaces, and never within a block that begins like a key:
 *   whoever looks for secrets must see it whole.
 * Cost: most texts are one part, as they are.
 */

/** In UTF-16 units: a part is cut by itself, so that what is known of all its chunks has bounds. */
const LONGEST_PART = 1_048_576;
/** The longest key that is kept in one part. */
const LONGEST_KEY = 65_536;

export function* partsOf(text: string, longest = LONGEST_PART): Generator<string> {
  let start = 0;
  while (text.length - start > longest) {
    const end = findCut(text, start, start + longest);
    yield text.slice(start, end);
    start = end;
  }
  yield start === 0 ? text : text.slice(start);
}

/** The same, cut at line ends only: a line that is longer stays whole, and so does what stands in it. */
export function* wholeLinesOf(text: string, longest: number): Generator<string> {
  let start = 0;
  while (text.length - start > longest) {
    const line = text.lastIndexOf("\n", start + longest - 1) + 1;
    const end = line > start ? beforeKey(text, start, line) : text.indexOf("\n", start + longest) + 1 || text.length;
    yield text.slice(start, end);
    start = end;
  }
  if (start === 0 || start < text.length) yield text.slice(start);
}

function findCut(text: string, start: number, limit: number): number {
  const line = text.lastIndexOf("\n", limit - 1) + 1;
  const space = text.lastIndexOf(" ", limit - 1) + 1;
  return beforeKey(text, start, line > start ? line : space > start ? space : limit);
}

function beforeKey(text: string, start: number, cut: number): number {
  const key = text.lastIndexOf("-----BEGIN ", cut - 1);
  if (key <= start || cut - key > LONGEST_KEY || text.slice(key, cut).includes("-----END ")) return whole(text, cut);
  return key;
}

/** Not between the halves of a character. */
function whole(text: string, cut: number): number {
  const unit = text.charCodeAt(cut - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? cut - 1 : cut;
}
