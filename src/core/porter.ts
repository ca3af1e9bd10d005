/**
 * A lower-case English word -> its stem, so that "connections" and "connected" meet at "connect".
 *
 * Source: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the two later changes of the
 * author's own program: -bli becomes -ble, and -logi becomes -log.
 * Order: steps 1a, 1b, 1c, 2, 3, 4, 5a, 5b; within a step the longest suffix that fits decides, whether or not its
 * condition holds.
 * Not: words with anything but a-z, or shorter than three letters, come back unchanged.
 */

const PLAIN_WORD = /^[a-z]{3,}$/;
/** No English word is longer; what is (base64, hashes) is not worth the work. */
const LONGEST_WORD = 40;

type Rule = readonly [suffix: string, replacement: string];

const STEP_2 = rules(
  `ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous ization>ize ation>ate
  ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive biliti>ble logi>log`,
);
const STEP_3 = rules("icate>ic ative> alize>al iciti>ic ical>ic ful> ness>");
const STEP_4 = rules(
  "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent> ion> ou> ism> ate> iti> ous> ive> ize>",
);

function rules(list: string): readonly Rule[] {
  return list.split(/\s+/).map((rule) => rule.split(">") as unknown as Rule);
}

/** The stem of a word in lower case. */
export function stem(word: string): string {
  if (word.length > LONGEST_WORD || !PLAIN_WORD.test(word)) return word;
  let stemmed = dropPlural(word);
  stemmed = dropPastAndGerund(stemmed);
  stemmed = turnFinalY(stemmed);
  stemmed = replaceSuffix(stemmed, STEP_2, 0);
  stemmed = replaceSuffix(stemmed, STEP_3, 0);
  stemmed = replaceSuffix(stemmed, STEP_4, 1);
  return dropFinalEAndL(stemmed);
}

/** Step 1a. */
function dropPlural(word: string): string {
  if (!word.endsWith("s") || word.endsWith("ss")) return word;
  if (word.endsWith("sses") || word.endsWith("ies")) return word.slice(0, -2);
  return word.slice(0, -1);
}

/** Step 1b. */
function dropPastAndGerund(word: string): string {
  if (word.endsWith("eed")) return measure(word, word.length - 3) > 0 ? word.slice(0, -1) : word;
  const cut = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
  if (cut === 0 || !hasVowel(word, word.length - cut)) return word;
  return mendAfterCut(word.slice(0, -cut));
}

function mendAfterCut(root: string): string {
  if (root.endsWith("at") || root.endsWith("bl") || root.endsWith("iz")) return root + "e";
  if (endsInDouble(root) && !/[lsz]$/.test(root)) return root.slice(0, -1);
  return measure(root, root.length) === 1 && endsShort(root, root.length) ? root + "e" : root;
}

/** Step 1c. */
function turnFinalY(word: string): string {
  return word.endsWith("y") && hasVowel(word, word.length - 1) ? word.slice(0, -1) + "i" : word;
}

/** Steps 2, 3 and 4: the longest suffix of the table, replaced where what is before it measures more than `above`. */
function replaceSuffix(word: string, rules: readonly Rule[], above: number): string {
  let best: Rule | undefined;
  for (const rule of rules) if (word.endsWith(rule[0]) && (!best || rule[0].length > best[0].length)) best = rule;
  if (!best) return word;
  const rootLength = word.length - best[0].length;
  if (measure(word, rootLength) <= above) return word;
  if (best[0] === "ion" && word[rootLength - 1] !== "s" && word[rootLength - 1] !== "t") return word;
  return word.slice(0, rootLength) + best[1];
}

/** Steps 5a and 5b. */
function dropFinalEAndL(word: string): string {
  let result = word;
  if (result.endsWith("e")) {
    const rootLength = result.length - 1;
    const measured = measure(result, rootLength);
    if (measured > 1 || (measured === 1 && !endsShort(result, rootLength))) result = result.slice(0, -1);
  }
  return result.endsWith("ll") && measure(result, result.length) > 1 ? result.slice(0, -1) : result;
}

/** "y" is a vowel after a consonant. */
function isConsonant(word: string, at: number): boolean {
  const letter = word[at];
  if (letter === "a" || letter === "e" || letter === "i" || letter === "o" || letter === "u") return false;
  return letter !== "y" || at === 0 || !isConsonant(word, at - 1);
}

/** Porter's m of the first `length` letters: how often vowels are followed by consonants. */
function measure(word: string, length: number): number {
  let count = 0;
  let wasVowel = false;
  for (let at = 0; at < length; at++) {
    const vowel = !isConsonant(word, at);
    if (wasVowel && !vowel) count++;
    wasVowel = vowel;
  }
  return count;
}

function hasVowel(word: string, length: number): boolean {
  for (let at = 0; at < length; at++) if (!isConsonant(word, at)) return true;
  return false;
}

function endsInDouble(word: string): boolean {
  const last = word.length - 1;
  return last > 0 && word[last] === word[last - 1] && isConsonant(word, last);
}

/** Porter's *o: consonant, vowel, consonant, the last none of w, x, y. */
function endsShort(word: string, length: number): boolean {
  const last = length - 1;
  if (last < 2 || !isConsonant(word, last) || isConsonant(word, last - 1) || !isConsonant(word, last - 2)) return false;
  return word[last] !== "w" && word[last] !== "x" && word[last] !== "y";
}
