/**
 * Runs the HTTP servers, TCP and Unix socket, before one pipeline: listening, new settings, deadlines, the final drain.
 *
 * Units: milliseconds of the monotonic clock.
 * Cost: one timer looks after every deadline once a second.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Timer } from "./clock.ts";
import { createAdmission } from "./http-admission.ts";
import { createConnections } from "./http-connections.ts";
import { rawErrorResponse } from "./http-errors.ts";
import type { Exchange } from "./http-exchange.ts";
import { bindSocketFile, bindTcp } from "./http-listen.ts";
import { createPipeline, methodLabel, type PipelineServices, type PipelineState } from "./http-pipeline.ts";
import { refuseConnection } from "./http-refusal.ts";
import { createServer } from "./node-http.ts";
import { HttpError, type HttpServer, type HttpServerOptions, type HttpSettings } from "./http.ts";

const TICK_MS = 1_000;
/** How often, while draining, connections that have become idle are closed. */
const DRAIN_TICK_MS = 100;

/** Throws a `TypeError` for faulty routes. Nothing listens before `listen()`. */
export function createHttpServer(services: PipelineServices, options: HttpServerOptions): HttpServer {
  const { clock, log } = services;
  const state: PipelineState = {
    connections: createConnections((connection) => pipeline.abandon(connection)),
    observe: options.observe,
    admission: createAdmission(options.settings, options.routes()),
    isDraining: false,
    requests: 0,
  };
  const pipeline = createPipeline(services, state);
  const servers: Server[] = [];
  let refusedConnections = 0;
  let ticking: Timer | undefined;

  function addServer(isTrusted: boolean): Server {
    const server = createNodeServer(state.admission.settings);
    server.on("connection", (socket: Socket) => void state.connections.open(socket, isTrusted));
    server.on("request", (req, res) => pipeline.take(req, res, "nothing"));
    server.on("checkContinue", (req, res) => pipeline.take(req, res, "continue"));
    server.on("checkExpectation", (req, res) => pipeline.take(req, res, "unknown"));
    server.on("connect", (_req, socket) => refuseTunnel(socket as Socket));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(error.code, socket as Socket));
    server.on("drop", () => void refusedConnections++);
    servers.push(server);
    return server;
  }

  function refuse(code: string | undefined, socket: Socket): void {
    const connection = state.connections.of(socket);
    if (!connection) return void socket.destroy();
    const nowMs = clock.monotonicMs();
    const refusal = refuseConnection(connection, code, nowMs);
    if (!refusal) return;
    const { exchange, status } = refusal;
    const seconds = exchange ? (nowMs - exchange.startMs) / 1000 : 0;
    options.observe(exchange?.route, methodLabel(exchange?.method ?? ""), status, seconds);
  }

  /** Node takes a CONNECT out of the hands of the HTTP server; what the client sends after it is not looked at. */
  function refuseTunnel(socket: Socket): void {
    const connection = state.connections.of(socket);
    if (connection) connection.lingering = { sinceMs: clock.monotonicMs(), bytesRead: socket.bytesRead };
    const refusal = new HttpError(405, "METHOD_NOT_ALLOWED", "This is not a proxy", { headers: { allow: "" } });
    socket.resume().end(rawErrorResponse(refusal));
    options.observe(undefined, methodLabel("CONNECT"), 405, 0);
  }

  function tick(): void {
    const nowMs = clock.monotonicMs();
    pipeline.sweep(nowMs);
    state.connections.cutStalled(nowMs, state.admission.settings.writeTimeoutMs);
    state.admission.limiter.prune(nowMs);
  }

  async function openSocketFile(path: string | undefined): Promise<string | undefined> {
    if (path === undefined) return undefined;
    const server = addServer(true);
    try {
      await bindSocketFile(server, path);
      return path;
    } catch (error) {
      servers.splice(servers.indexOf(server), 1);
      log.warn("the daemon's Unix socket is not available; only TCP is", { path, reason: (error as Error).message });
      return undefined;
    }
  }

  return {
    async listen() {
      const { listenAddress, port, socketPath } = state.admission.settings;
      const url = await bindTcp(addServer(false), listenAddress, port);
      ticking = clock.every(TICK_MS, tick);
      return { url, socketPath: await openSocketFile(socketPath) };
    },

    reconfigure(settings) {
      state.admission = createAdmission(settings, options.routes(), state.admission);
      for (const server of servers) applyLimits(server, settings);
    },

    async stop() {
      state.isDraining = true;
      for (const connection of state.connections.all.values()) {
        // Node counts a connection on which nothing has come yet as busy.
        if (connection.socket.bytesRead === 0) connection.socket.destroy();
        for (const exchange of connection.exchanges) if (waitsForLong(exchange)) exchange.abort();
      }
      const closing = Promise.all(servers.map(close));
      const idle = clock.every(DRAIN_TICK_MS, () => servers.forEach((server) => server.closeIdleConnections()));
      const deadline = clock.after(state.admission.settings.drainTimeoutMs, () => {
        log.warn("requests were cut off at the end of the drain", { requests: countInFlight() });
        for (const connection of [...state.connections.all.values()]) {
          pipeline.abandon(connection);
          connection.socket.destroy();
        }
      });
      await closing;
      for (const timer of [idle, deadline, ticking]) timer?.cancel();
    },

    stats: () => ({
      connections: state.connections.all.size,
      requests: state.requests,
      inFlight: countInFlight(),
      refusedConnections,
    }),
  };

  function countInFlight(): number {
    let count = 0;
    for (const connection of state.connections.all.values()) count += connection.exchanges.length;
    return count;
  }
}

function createNodeServer(settings: HttpSettings): Server {
  const server = createServer({
    maxHeaderSize: settings.maxHeaderBytes,
    // Timeouts are looked at each second, more often only when they are shorter.
    connectionsCheckingInterval: Math.min(TICK_MS, settings.headerTimeoutMs, settings.requestTimeoutMs),
    // A missing Host is refused as JSON, by the guards.
    requireHostHeader: false,
  });
  applyLimits(server, settings);
  return server;
}

function applyLimits(server: Server, settings: HttpSettings): void {
  server.headersTimeout = settings.headerTimeoutMs;
  server.requestTimeout = settings.requestTimeoutMs;
  server.keepAliveTimeout = settings.keepAliveTimeoutMs;
  server.maxConnections = settings.maxConnections;
}

/** A stream, or a handler that answers when something has happened: both would hold up the drain. */
function waitsForLong({ phase, route }: Exchange): boolean {
  return phase === "streaming" || (phase === "handling" && route?.deadlineMs === 0);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
