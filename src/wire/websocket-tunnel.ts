import { Duplex } from "node:stream";
import type { WebSocketConnection } from "./websocket.ts";

/** One byte stream through a WebSocket's binary messages, for SPDY inside WebSocket. */
export function webSocketDuplex(socket: WebSocketConnection): Duplex {
  let behind = false;
  const duplex = new Duplex({
    read() {
      if (behind) socket.resume();
      behind = false;
    },
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, done),
    final(done) {
      socket.close();
      done();
    },
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  socket.onMessage((data) => {
    if (duplex.destroyed || duplex.push(data)) return;
    behind = true;
    socket.pause();
  });
  socket.onClose(() => {
    if (!duplex.readableEnded && !duplex.destroyed) duplex.push(null);
    duplex.end();
  });
  return duplex;
}
