/** Tokens and dollars of the current session, as `/daemon usage` shows them. */
export const TOKEN_TYPES = ["input", "output", "cache_read", "cache_write", "reasoning"] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];
export type Tokens = Readonly<Record<TokenType, number>>;

export class SessionUsage {
  #session = "";
  #tokens: Record<TokenType, number> = noTokens();
  #costUsd = 0;

  get session(): string {
    return this.#session;
  }

  get tokens(): Tokens {
    return this.#tokens;
  }

  get costUsd(): number {
    return this.#costUsd;
  }

  /** A session other than the last one starts at zero. */
  add(session: string, tokens: Tokens, costUsd: number): void {
    if (session !== this.#session) {
      this.#session = session;
      this.#tokens = noTokens();
      this.#costUsd = 0;
    }
    for (const type of TOKEN_TYPES) this.#tokens[type] += tokens[type];
    this.#costUsd += costUsd;
  }

  adopt(earlier: Pick<SessionUsage, "session" | "tokens" | "costUsd">): void {
    this.add(earlier.session, earlier.tokens, earlier.costUsd);
  }
}

function noTokens(): Record<TokenType, number> {
  return { input: 0, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 };
}
