/**
 * `node:http`, without what it drags in.
 *
 * An `import` of `node:http` reads all its exports, and with that builds the WebSocket classes behind some of them: 45 ms and 10 MiB
 * for nothing (measured on Node 22).
 */
export const { createServer, request, Agent, STATUS_CODES } = process.getBuiltinModule("node:http");
