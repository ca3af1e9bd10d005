/**
 * The shapes of pi's extension API that this extension uses, and no more: pi itself is not needed to read or test it.
 *
 * Source: pi 0.87.1; a test of conformance checks these shapes against its declarations. Fields of 1.x are optional.
 */
export interface PiModel {
  readonly id: string;
  readonly provider: string;
}

/** Tokens and dollars of one answer. `input` is without cached tokens; `reasoning` is a part of `output`. */
export interface PiUsage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning?: number;
  readonly cost: { readonly total: number };
}

export interface PiMessage {
  readonly role: string;
}

export interface PiAssistantMessage {
  readonly role: "assistant";
  readonly provider: string;
  readonly model: string;
  readonly stopReason: string;
  readonly errorMessage?: string;
  readonly usage: PiUsage;
}

export interface PiToolResultMessage {
  readonly role: "toolResult";
  readonly toolName: string;
  /** Of the calls to models that the tool itself made. */
  readonly usage?: PiUsage;
}

/** An entry of a session; the other fields depend on `type`. */
export interface PiEntry {
  readonly type: string;
}

export interface PiCompactionEntry {
  readonly type: "compaction";
  readonly summary: string;
  readonly tokensBefore: number;
  readonly usage?: PiUsage;
}

/** Tokens that no message carries, such as those of keeping a cache warm. */
export interface PiUsageEntry {
  readonly type: "usage";
  readonly provider: string;
  readonly model: string;
  readonly usage: PiUsage;
}

export interface PiSessionManager {
  getSessionId(): string;
  getLeafEntry(): PiEntry | undefined;
  getEntries(): readonly PiEntry[];
  buildSessionProjection(): { readonly messages: readonly PiMessage[] };
}

export interface PiUi {
  notify(message: string, type?: "info" | "warning" | "error"): void;
  setStatus(key: string, text: string | undefined): void;
}

/** Valid while its handler runs, and not for long after. */
export interface PiContext {
  readonly ui: PiUi;
  /** Whether somebody sees what `ui` shows. */
  readonly hasUI: boolean;
  readonly cwd: string;
  readonly sessionManager: PiSessionManager;
  readonly model: PiModel | undefined;
  getContextUsage(): { readonly tokens: number | null; readonly contextWindow: number } | undefined;
}

export type PiCompactionReason = "manual" | "threshold" | "overflow";
export type PiPromptKind = "select" | "confirm" | "input" | "editor" | "custom";

/** The events that are listened to. */
export interface PiEvents {
  session_start: { readonly reason: "startup" | "reload" | "new" | "resume" | "fork" };
  session_shutdown: { readonly reason: "quit" | "reload" | "new" | "resume" | "fork" };
  session_before_compact: { readonly reason: PiCompactionReason };
  session_compact: { readonly compactionEntry: PiCompactionEntry; readonly reason: PiCompactionReason };
  session_compact_failed: { readonly reason: PiCompactionReason; readonly aborted: boolean };
  session_tree: { readonly summaryEntry?: { readonly usage?: PiUsage } };
  input: { readonly source: "interactive" | "rpc" | "extension" };
  agent_start: object;
  /** `aborted` comes with pi 1.x. */
  agent_settled: { readonly type?: string; readonly aborted?: boolean };
  turn_start: object;
  message_end: { readonly message: PiMessage };
  tool_execution_start: { readonly toolCallId: string; readonly toolName: string };
  /** `durationMs` comes with pi 1.x. */
  tool_execution_end: {
    readonly toolCallId: string;
    readonly toolName: string;
    readonly isError: boolean;
    readonly durationMs?: number;
  };
  ui_prompt_start: { readonly kind: PiPromptKind };
  ui_prompt_end: { readonly kind: PiPromptKind };
}

export type PiEventName = keyof PiEvents;
export type PiHandler<E> = (event: E, ctx: PiContext) => void | Promise<void>;

export interface PiCommand {
  readonly description: string;
  readonly handler: (args: string, ctx: PiContext) => Promise<void>;
  readonly getArgumentCompletions: (prefix: string) => { value: string; label: string }[] | null;
}

export interface PiToolResult {
  readonly content: { type: "text"; text: string }[];
  /** Kept with the session, for renderers. */
  readonly details: unknown;
}

/** What the model may call. */
export interface PiTool {
  readonly name: string;
  /** For people. */
  readonly label: string;
  readonly description: string;
  /** One line for the list of tools in pi's own prompt. */
  readonly promptSnippet?: string;
  /** A JSON schema; pi checks `params` by it. */
  readonly parameters: object;
  execute(
    toolCallId: string,
    params: unknown,
    signal: AbortSignal | undefined,
    onUpdate: unknown,
    ctx: PiContext,
  ): Promise<PiToolResult>;
}

export interface Pi {
  on<N extends PiEventName>(event: N, handler: PiHandler<PiEvents[N]>): unknown;
  registerCommand(name: string, command: PiCommand): void;
  registerTool(tool: PiTool): void;
  getAllTools(): readonly { readonly name: string }[];
  /** Between extensions. */
  readonly events: {
    emit(channel: string, data: unknown): void;
    on(channel: string, handler: (data: unknown) => void): unknown;
  };
}
