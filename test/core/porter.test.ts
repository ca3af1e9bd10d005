import assert from "node:assert/strict";
import { test } from "node:test";
import { stem } from "../../src/core/porter.ts";

/** Words of the paper's own examples (and of the two later changes), carried through all steps. */
const STEMS = `
  caresses caress, ponies poni, ties ti, caress caress, cats cat, feed feed, agreed agre, plastered plaster,
  bled bled, motoring motor, sing sing, conflated conflat, troubled troubl, sized size, hopping hop, tanned tan,
  falling fall, hissing hiss, fizzed fizz, failing fail, filing file, happy happi, sky sky, relational relat,
  conditional condit, rational ration, valenci valenc, hesitanci hesit, digitizer digit, conformabli conform,
  radicalli radic, differentli differ, vileli vile, analogousli analog, vietnamization vietnam, predication predic,
  operator oper, feudalism feudal, decisiveness decis, hopefulness hope, callousness callous, formaliti formal,
  sensitiviti sensit, sensibiliti sensibl, triplicate triplic, formative form, formalize formal,
  electriciti electr, electrical electr, hopeful hope, goodness good, revival reviv, allowance allow,
  inference infer, airliner airlin, gyroscopic gyroscop, adjustable adjust, defensible defens, irritant irrit,
  replacement replac, adjustment adjust, dependent depend, adoption adopt, homologou homolog, communism commun,
  activate activ, angulariti angular, homologous homolog, effective effect, bowdlerize bowdler, probate probat,
  rate rate, cease ceas, controll control, roll roll, assembly assembl, technology technolog,
  generalizations gener, oscillators oscil`;

for (const row of STEMS.trim().split(/,\s+/)) {
  const [word, expected] = row.split(" ") as [string, string];
  test(`${word} has the stem ${expected}`, () => assert.equal(stem(word), expected));
}

test("short words, words with other characters and endless words come back as they are", () => {
  for (const word of ["as", "is", "", "naïve", "utf8", "it's", "running_fast", "a".repeat(200) + "ing"])
    assert.equal(stem(word), word);
});
