/**
 * Turns an XML property list into its value, or throws at the first thing that does not belong there.
 *
 * Source: Apple's PropertyList-1.0.dtd. Not: `data`, `date`, `real`, CDATA, entities beyond the five of XML.
 */
export type Plist = string | number | boolean | readonly Plist[] | { readonly [key: string]: Plist };

const PROLOG =
  /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<!DOCTYPE plist PUBLIC "-\/\/Apple\/\/DTD PLIST 1\.0\/\/EN" "http:\/\/www\.apple\.com\/DTDs\/PropertyList-1\.0\.dtd">\n/;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

export function parsePlist(text: string): Plist {
  const prolog = PROLOG.exec(text);
  if (prolog === null) throw new SyntaxError("the XML declaration or the document type is not that of a property list");
  let rest = text.slice(prolog[0].length);

  function skip(): void {
    rest = rest.replace(/^(\s+|<!--(?:(?!--)[^])*-->)*/, "");
  }
  function take(pattern: RegExp, what: string): RegExpExecArray {
    skip();
    const found = new RegExp(`^(?:${pattern.source})`).exec(rest);
    if (found === null) throw new SyntaxError(`expected ${what} at "${rest.slice(0, 30)}"`);
    rest = rest.slice(found[0].length);
    return found;
  }
  const peek = (start: string): boolean => (skip(), rest.startsWith(start));
  const decode = (raw: string): string =>
    raw.replaceAll(/&([^;]*);?|[<>]/g, (whole, name: string | undefined) => {
      const character = name === undefined || !whole.endsWith(";") ? undefined : ENTITIES[name];
      if (character === undefined) throw new SyntaxError(`"${whole}" is no text`);
      return character;
    });
  function value(): Plist {
    const [, tag, , single] = take(/<(string|integer|array|dict|true|false)(\s*(\/))?>/, "a value");
    if (tag === "true" || tag === "false") {
      if (single === undefined) throw new SyntaxError(`<${tag}> has to be empty`);
      return tag === "true";
    }
    if (single !== undefined) throw new SyntaxError(`<${tag}/> is empty`);
    if (tag === "array") return items();
    if (tag === "dict") return entries();
    const inner = take(new RegExp(`([^<]*)</${tag}>`), `the end of <${tag}>`)[1]!;
    if (tag === "string") return decode(inner);
    if (!/^\d+$/.test(inner)) throw new SyntaxError(`"${inner}" is no integer`);
    return Number(inner);
  }
  function items(): Plist[] {
    const found: Plist[] = [];
    while (!peek("</array>")) found.push(value());
    take(/<\/array>/, "the end of the array");
    return found;
  }
  function entries(): Record<string, Plist> {
    const found: Record<string, Plist> = {};
    while (!peek("</dict>")) {
      const key = decode(take(/<key>([^<]*)<\/key>/, "a key")[1]!);
      if (key in found) throw new SyntaxError(`the key ${key} stands twice`);
      found[key] = value();
    }
    take(/<\/dict>/, "the end of the dict");
    return found;
  }

  take(/<plist version="1\.0">/, "<plist>");
  const whole = value();
  take(/<\/plist>/, "the end of <plist>");
  take(/$/, "the end");
  return whole;
}
