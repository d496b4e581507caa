// SPDX-License-Identifier: MIT
/* The journal of one user: numbered events that are kept and sent to every open stream. */

const HEARTBEAT_MS = 15_000;

export class Journal {
  #events = [];
  #streams = new Set();
  #heartbeat = setInterval(() => this.#write(': hb\n\n'), HEARTBEAT_MS).unref();

  get last() {
    return this.#events.length;
  }

  append(event, fields) {
    const data = { seq: this.last + 1, ...fields, at: new Date().toISOString() };
    this.#events.push({ event, data });
    this.#write(frame(event, data));
    return data;
  }

  /** Opens a stream that begins with the events after this number; null begins with a reset. */
  open(response, after, wants = () => true) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 2000\n\n');
    if (after === null || after > this.last) {
      response.write(`id: ${this.last}\nevent: reset\ndata: {"seq":${this.last}}\n\n`);
    } else {
      for (const { event, data } of this.#events.slice(after)) if (wants(data)) response.write(frame(event, data));
    }
    const stream = { response, wants };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
  }

  get streams() {
    return this.#streams.size;
  }

  /** Ends every stream, with or without saying so. */
  dropStreams(manner) {
    for (const { response } of this.#streams) {
      if (manner === 'bye') response.end('event: bye\ndata: {}\n\n');
      else response.destroy();
    }
  }

  close() {
    clearInterval(this.#heartbeat);
    this.dropStreams('cut');
  }

  #write(text) {
    for (const { response } of this.#streams) response.write(text);
  }
}

function frame(event, data) {
  return `id: ${data.seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
