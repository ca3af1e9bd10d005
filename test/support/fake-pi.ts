/** What pi hands to an extension, without pi: events are emitted by the test, and what is shown is kept. */
import { EventEmitter } from "node:events";
import type {
  Pi,
  PiCommand,
  PiContext,
  PiEntry,
  PiEventName,
  PiEvents,
  PiHandler,
  PiMessage,
  PiModel,
  PiTool,
} from "../../src/extension/pi.ts";

export interface FakeContext extends PiContext {
  hasUI: boolean;
  cwd: string;
  model: PiModel | undefined;
  sessionId: string;
  entries: PiEntry[];
  messages: PiMessage[];
  contextUsage: { tokens: number | null; contextWindow: number } | undefined;
  readonly notices: string[];
  /** Every change of the footer. */
  readonly statuses: (string | undefined)[];
}

export interface FakePi extends Pi {
  readonly ctx: FakeContext;
  readonly commands: Map<string, PiCommand>;
  tools: string[];
  /** Those of the extension. */
  readonly registered: Map<string, PiTool>;
  /** Calls the handlers as pi does: one after the other, each awaited. */
  fire<N extends PiEventName>(event: N, data: PiEvents[N]): Promise<void>;
}

export function fakeContext(): FakeContext {
  const ctx: FakeContext = {
    hasUI: true,
    cwd: "/",
    model: { id: "m1", provider: "p1" },
    sessionId: "s1",
    entries: [],
    messages: [],
    contextUsage: undefined,
    notices: [],
    statuses: [],
    ui: {
      notify: (message) => void ctx.notices.push(message),
      setStatus: (_key, text) => void ctx.statuses.push(text),
    },
    sessionManager: {
      getSessionId: () => ctx.sessionId,
      getLeafEntry: () => ctx.entries.at(-1),
      getEntries: () => ctx.entries,
      buildSessionProjection: () => ({ messages: ctx.messages }),
    },
    getContextUsage: () => ctx.contextUsage,
  };
  return ctx;
}

/** `bus` is shared by all extensions of a session. */
export function fakePi(ctx = fakeContext(), bus = new EventEmitter()): FakePi {
  const handlers = new Map<string, PiHandler<never>[]>();
  const commands = new Map<string, PiCommand>();
  const registered = new Map<string, PiTool>();
  const pi: FakePi = {
    ctx,
    commands,
    registered,
    tools: ["bash", "read"],
    on: (event, handler) => void handlers.set(event, [...(handlers.get(event) ?? []), handler as PiHandler<never>]),
    registerCommand: (name, command) => void commands.set(name, command),
    registerTool: (tool) => void registered.set(tool.name, tool),
    getAllTools: () => pi.tools.map((name) => ({ name })),
    events: {
      emit: (channel, data) => void bus.emit(channel, data),
      on: (channel, handler) => bus.on(channel, handler),
    },
    async fire(event, data) {
      for (const handler of handlers.get(event) ?? []) await handler(data as never, ctx);
    },
  };
  return pi;
}

export function assistantMessage(fields: Readonly<Record<string, unknown>> = {}): PiMessage {
  const usage = { input: 100, output: 20, cacheRead: 0, cacheWrite: 0, cost: { total: 0.5 } };
  return { role: "assistant", provider: "p1", model: "m1", stopReason: "stop", usage, ...fields } as PiMessage;
}
