/**
 * A line of a program -> the name that it declares, by patterns for each language.
 *
 * Not: a parser. Declarations that begin in the middle of a line or spread their first words over several are missed,
 * and a string that looks like one is taken for one; chunks then begin elsewhere, and nothing is lost.
 */
export interface Declaration {
  readonly name: string;
  /** Columns before it, a tab counting four. */
  readonly indentation: number;
}

export interface Language {
  /** Each has the name as its last group. */
  readonly patterns: readonly RegExp[];
  /** Lines right above a declaration that belong to it: comments, decorators, attributes. */
  readonly attached: RegExp;
}

const C_COMMENT = /^\s*(\/\/|\/\*|\*)/;
const NOT_A_NAME = new Set(
  "if for while switch catch return function else do try throw await new typeof with sizeof and or not".split(" "),
);

/** A pattern for lines that begin with any of the modifiers, then one of the keywords, then a name. */
function declaring(modifiers: string, keywords: string): RegExp {
  const anyOf = (words: string): string => words.split(" ").join("|");
  return new RegExp(`^\\s*(?:(?:${anyOf(modifiers)})\\s+)*(?:${anyOf(keywords)})\\s+([\\w$]+)`);
}

const SCRIPT: Language = {
  patterns: [
    declaring("export default declare abstract async", "function function\\s*\\* class interface enum namespace"),
    /^\s*(?:export\s+)?(?:declare\s+)?type\s+([\w$]+)\s*[<=]/,
    /^(?:export\s+)?(?:declare\s+)?(?:const|let|var)\s+([\w$]+)/,
    /^\s*(?:const|let|var)\s+([\w$]+)[^=]*=\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|[\w$]+\s*=>)/,
    // A method: nothing before its name but modifiers, and an open bracket at the end of the line.
    /^\s+(?:(?:public|private|protected|static|async|override|get|set)\s+)*\*?(#?[\w$]+)(?:<[^>]*>)?\([^;]*[{,(]\s*$/,
    /^(?:module\.)?([\w$.]+)\s*=\s*(?:async\s+)?function\b/,
  ],
  attached: /^\s*(\/\/|\/\*|\*|@\w)/,
};
const PYTHON: Language = { patterns: [declaring("async", "def class")], attached: /^\s*(#|@\w)/ };
const GO: Language = {
  patterns: [/^func\s+(?:\([^)]*\)\s*)?(\w+)/, /^(?:type|var|const)\s+(\w+)/],
  attached: C_COMMENT,
};
const RUST: Language = {
  patterns: [
    declaring('pub pub\\([^)]*\\) default const async unsafe extern "[^"]*"', "fn struct enum trait mod type union"),
    /^\s*macro_rules!\s*(\w+)/,
    /^\s*(?:unsafe\s+)?impl\b(?:<[^{]*?>)?\s*(?:[\w:<>, ']+?\s+for\s+)?(?:\w+::)*(\w+)/,
  ],
  attached: /^\s*(\/\/|\/\*|\*|#\[)/,
};
const JAVA_MODIFIERS = "public private protected internal static final abstract sealed data open partial";
const JAVA: Language = {
  patterns: [
    declaring(JAVA_MODIFIERS, "class interface enum record @interface object"),
    // A method: at least one modifier, perhaps type parameters and a result, a name, an opening parenthesis.
    new RegExp(
      `^\\s*(?:(?:${JAVA_MODIFIERS.replaceAll(" ", "|")}|synchronized|native|default|override)\\s+)+` +
        "(?:<[^>]*>\\s*)?(?:[\\w<>[\\],.?]+\\s+)?(\\w+)\\s*\\(",
    ),
  ],
  attached: /^\s*(\/\/|\/\*|\*|@\w)/,
};
const C: Language = {
  patterns: [
    /^(?:typedef\s+)?(?:struct|enum|union|class|namespace)\s+(\w+)\s*(?:[{:]|final|$)/,
    /^(?:[A-Za-z_][\w:<>,*&]*[\s*&]+)+(?:\w+::)*~?(\w+)\s*\([^;]*$/,
    /^#\s*define\s+(\w+)\(/,
  ],
  attached: C_COMMENT,
};
const SHELL: Language = {
  patterns: [/^\s*(?:function\s+)?([\w:-]+)\s*\(\s*\)/, /^\s*function\s+([\w:-]+)/],
  attached: /^\s*#(?!!)/,
};
/** Known to be code, without patterns: cut by lines. */
const OTHER: Language = { patterns: [], attached: /^(?!)/ };

const ENDINGS: readonly (readonly [endings: string, language: Language])[] = [
  ["ts tsx mts cts js jsx mjs cjs", SCRIPT],
  ["py pyi", PYTHON],
  ["go", GO],
  ["rs", RUST],
  ["java kt cs scala", JAVA],
  ["c h cc cpp cxx hpp hh m", C],
  ["sh bash zsh", SHELL],
  ["rb php pl lua swift sql css scss html vue svelte json yaml yml toml xml ini tf proto r jl ex exs hs", OTHER],
];
const BY_ENDING: ReadonlyMap<string, Language> = new Map(
  ENDINGS.flatMap(([endings, language]) => endings.split(" ").map((ending) => [ending, language] as const)),
);

/** By a file name's ending in lower case, without the dot; undefined for what is no code. */
export function languageOf(ending: string): Language | undefined {
  return BY_ENDING.get(ending);
}

/** `head` is the beginning of a line. */
export function declarationIn(head: string, { patterns }: Language): Declaration | undefined {
  for (const pattern of patterns) {
    const name = pattern.exec(head)?.[1];
    if (name !== undefined && !NOT_A_NAME.has(name)) return { name, indentation: indentationOf(head) };
  }
  return undefined;
}

export function indentationOf(head: string): number {
  let columns = 0;
  for (const character of head) {
    if (character === " ") columns++;
    else if (character === "\t") columns += 4;
    else break;
  }
  return columns;
}
