/** Queries that a collection has no answer to: of other subjects, in other languages, of no language. */
import { seededRandom } from "../../support/random.ts";
import type { Collection } from "./collections.ts";

export interface NoiseQueries {
  readonly name: string;
  readonly texts: readonly string[];
}

const FOREIGN = `Wie backe ich einen Apfelkuchen mit Streuseln ohne Zucker
Der Zug nach München hat heute wieder Verspätung
Welche Versicherung zahlt bei einem Wasserschaden im Keller
Comment préparer une soupe à l'oignon pour six personnes
Le chat dort sur le canapé pendant la journée
Où se trouve la gare la plus proche du musée
Cómo plantar tomates en el balcón durante el verano
El perro de mi vecino ladra toda la noche
Kuinka paistetaan lettuja nuotiolla metsässä
Jak upiec chleb na zakwasie w domu
如何在家里做红烧肉
как приготовить борщ с говядиной
где купить билеты на поезд в москву
今日の夕食は何を作りますか
πώς φτιάχνω μουσακά για οκτώ άτομα`.split("\n");
const EVERYDAY = `best chocolate cake recipe with strawberries
how to train a puppy to sit
cheap flights from london to lisbon in august
who won the football world cup
how to remove red wine stains from a carpet
symptoms of hay fever in children
mortgage rates for first home buyers
what to wear to a summer wedding
knitting pattern for baby socks
how to prune roses in winter
vegan lasagna with spinach
yoga poses for back pain`.split("\n");

const CONSONANTS = "b d f g k l m n p r s t v z br tr st".split(" ");
const VOWELS = "a e i o u ai ou".split(" ");
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const COUNT = 150;

const textOf = ({ text }: { readonly text: string }): string => text;

export function noiseFor(collection: Collection, all: readonly Collection[]): NoiseQueries[] {
  const others = all.filter((other) => other !== collection);
  const texts = others.flatMap(({ documents }) =>
    documents.slice(0, 800).map((document) => textOf(document).toLowerCase()),
  );
  const words = [...new Set(texts.flatMap((text) => text.match(/[a-z]{4,}/g) ?? []))];
  const random = seededRandom(1);
  const repeat = (least: number, most: number, make: () => string): string[] =>
    Array.from({ length: random.int(least, most) }, make);
  const syllable = (): string => random.pick(CONSONANTS) + random.pick(VOWELS) + random.pick(["", "", "n", "r", "s"]);
  const letters = (): string => repeat(4, 11, () => random.pick(LETTERS)).join("");
  const queries = (make: () => string): string[] => Array.from({ length: COUNT }, make);
  return [
    { name: "random letters", texts: queries(() => repeat(1, 6, letters).join(" ")) },
    { name: "made-up words", texts: queries(() => repeat(1, 6, () => repeat(2, 4, syllable).join("")).join(" ")) },
    { name: "other languages", texts: FOREIGN },
    { name: "everyday questions", texts: EVERYDAY },
    { name: "words of the others", texts: queries(() => repeat(2, 7, () => random.pick(words)).join(" ")) },
    { name: "queries of the others", texts: others.flatMap((other) => other.queries.slice(0, 100).map(textOf)) },
  ];
}

/** With a slip in every word of four letters and more: two swapped, one lost, or one too many. */
export function misspell(text: string, seed: number): string {
  const random = seededRandom(seed);
  const slip = (word: string): string => {
    if (!/^[a-z]{4,}$/i.test(word)) return word;
    const at = random.int(1, word.length - 2);
    const swapped = word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
    const lost = word.slice(0, at) + word.slice(at + 1);
    return random.pick([swapped, lost, word.slice(0, at) + random.pick(LETTERS) + word.slice(at)]);
  };
  return text.split(" ").map(slip).join(" ");
}
