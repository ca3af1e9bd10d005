/**
 * Turns the units of `contrib`, which run the command `pi-daemon`, into units that run this very program, wherever it
 * is.
 *
 * Source: systemd.service(5), "Command lines", and systemd.syntax(7) for quoting; XML 1.0 for property lists.
 */
import { quote } from "../core/printable.ts";
import { CommandError, EXIT } from "./command.ts";

/** How the program is called in the templates, in both languages. */
const UNIT_PROGRAM = "/usr/bin/env pi-daemon";
const PLIST_PROGRAM = /<string>\/usr\/bin\/env<\/string>(\s*)<string>pi-daemon<\/string>/;
const OWN = /^(# pi-daemon as a |# For jobs and knowledge that need a person's files|<!-- pi-daemon under launchd)/m;

/** What a service is made to run. */
export interface Program {
  /** Node, its options and the file. */
  readonly words: readonly string[];
  /** The config that was asked for by name; absolute. */
  readonly configPath: string | undefined;
}

/** Whether a file is one of ours, so that it may be replaced or removed. */
export function isOwnFile(text: string): boolean {
  return OWN.test(text);
}

/** A systemd unit. Throws CommandError for paths that a unit cannot hold. */
export function fitUnit(template: string, { words, configPath }: Program): string {
  const asArguments = words.map((word) => quoteForUnit(word, "argument"));
  const asCommand = [quoteForUnit(words[0]!, "literal"), ...asArguments.slice(1)];
  const fitted = template
    .replaceAll(`ExecStart=${UNIT_PROGRAM}`, () => `ExecStart=${asCommand.join(" ")}`)
    .replaceAll(UNIT_PROGRAM, () => asArguments.join(" "));
  if (configPath === undefined) return fitted;
  const line = `Environment=${quoteForUnit(`PI_DAEMON_CONFIG=${configPath}`, "literal")}\n`;
  return fitted.replace(/^UMask=/m, (next) => line + next);
}

/** A property list for launchd. */
export function fitPlist(template: string, { words, configPath }: Program): string {
  const fitted = template.replace(PLIST_PROGRAM, (_, space: string) =>
    words.map((word) => `<string>${escapeXml(word)}</string>`).join(space),
  );
  if (configPath === undefined) return fitted;
  const variable = `<key>PI_DAEMON_CONFIG</key>\n    <string>${escapeXml(configPath)}</string>\n    `;
  return fitted.replace("<key>PATH</key>", (next) => variable + next);
}

/** The absolute paths of the program that a unit or a property list of ours runs: Node, and the file. */
export function programPaths(text: string): readonly string[] {
  const command = /^ExecStart=(.*) start --foreground$/m.exec(text)?.[1];
  return (command === undefined ? plistWords(text) : unitWords(command)).filter((word) => word.startsWith("/"));
}

function unitWords(command: string): string[] {
  return [...command.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted], index) => {
    const text = (quoted?.replaceAll(/\\(.)/g, "$1") ?? word).replaceAll("%%", "%");
    return index === 0 ? text : text.replaceAll("$$", "$");
  });
}

function plistWords(text: string): string[] {
  const list = /<string>sh<\/string>((?:\s*<string>[^<]*<\/string>)+)/.exec(text)?.[1] ?? "";
  const decode = (word: string): string =>
    word.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  return [...list.matchAll(/<string>([^<]*)</g)].map(([, word]) => decode(word!));
}

/** The drop-in by which the system service runs as a person. */
export function fitRunAs(template: string, account: { readonly name: string; readonly home: string }): string {
  return template
    .replace(/^User=.*$/m, () => `User=${account.name}`)
    .replace(/^ReadWritePaths=.*$/m, () => `ReadWritePaths=${quoteForUnit(account.home, "literal")}`);
}

/**
 * One word of a unit. `%` begins a specifier everywhere; `$` begins a variable in the arguments of a command, and
 * nowhere else. Throws CommandError for control characters.
 */
function quoteForUnit(word: string, place: "argument" | "literal"): string {
  refuseControls(word);
  const escaped = word.replaceAll("%", "%%");
  const text = place === "literal" ? escaped : escaped.replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function escapeXml(word: string): string {
  refuseControls(word);
  return word.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function refuseControls(word: string): void {
  if (!/[\x00-\x1f\x7f]/.test(word)) return;
  throw new CommandError(EXIT.failure, `a service cannot run ${quote(word)}: the path holds a control character`);
}
