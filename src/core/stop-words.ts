/**
 * The 120 English words that say nothing about a text's subject: articles, prepositions, pronouns, auxiliaries,
 * question words.
 *
 * Not: words that name things in programs (`if`, `for` and `while` stay out of subjects; `new`, `null`, `return`,
 * `type` do not).
 */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again against all also am an and any are as at be because been before being below
  between both but by can cannot could did do does doing down during each few for from further had has have
  having he her here hers him his how i if in into is it its may me might more most must my no nor not of off
  on once only or other our out over own same shall she should so some such than that the their them then
  there these they this those through to too under until up upon us was we were what when where which while
  who whom why will with would you your`.split(/\s+/),
);
