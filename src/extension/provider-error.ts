/**
 * The error text of a provider -> one of a few classes; the text itself is never sent anywhere.
 *
 * Order: what the text says before its status, because providers send a full context as 400 and an overload as 200.
 */
export type ErrorClass =
  "rate_limit" | "overloaded" | "auth" | "context" | "timeout" | "http_4xx" | "http_5xx" | "aborted" | "other";

const CLASSES: readonly (readonly [pattern: RegExp, errorClass: ErrorClass])[] = [
  [/context[ _-]?(length|window|limit)|maximum context/i, "context"],
  [/prompt is too long|too many (input )?tokens|token limit/i, "context"],
  [/rate.?limit|too many requests|quota|usage limit|\b429\b/i, "rate_limit"],
  [/overloaded|over capacity|\b529\b/i, "overloaded"],
  [/unauthori[sz]ed|forbidden|authentication|api.?key|permission|credential|\b40[13]\b/i, "auth"],
  [/timed? ?out|timeout|\b408\b|\b504\b/i, "timeout"],
  [/abort|cancell?ed/i, "aborted"],
];

export function classifyError(text: string): ErrorClass {
  for (const [pattern, errorClass] of CLASSES) if (pattern.test(text)) return errorClass;
  const status = /(?:^|status\D{0,10}|\bHTTP\D{0,5}|\b)([45])\d\d\b/i.exec(text)?.[1];
  return status === undefined ? "other" : status === "4" ? "http_4xx" : "http_5xx";
}
