// SPDX-License-Identifier: MIT
/* Turns the bytes of a text/event-stream, already decoded to text, into events.
 * Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream". Knows nothing of connections. */

export interface SseEvent {
  event: string;
  data: string;
  /** The last id seen up to and including this event; '' before the first. */
  id: string;
}

/** A line longer than this is no event of ours: the peer is broken and is cut. */
export const LINE_CEILING_CHARS = 1 << 20;

export class SseParser {
  /** From "retry:"; null until the server says one. */
  retryMs: number | null = null;
  lastId = '';
  #rest = '';
  #event = '';
  #data: string[] = [];
  #started = false;
  #skipLf = false;

  /** Takes the next piece of text, returns the events it completes. Throws RangeError past the line ceiling. */
  feed(text: string): SseEvent[] {
    const out: SseEvent[] = [];
    let piece = text;
    if (!this.#started && piece !== '') {
      this.#started = true;
      if (piece.startsWith('\uFEFF')) piece = piece.slice(1);
    }
    // A CR that ended the last piece may be the first half of a CRLF.
    if (this.#skipLf && piece !== '') {
      if (piece.startsWith('\n')) piece = piece.slice(1);
      this.#skipLf = false;
    }
    const lines = (this.#rest + piece).split(/\r\n|\n|\r/);
    this.#skipLf = piece.endsWith('\r');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_CEILING_CHARS) throw new RangeError('event stream line too long');
    for (const line of lines) {
      const done = this.#line(line);
      if (done) out.push(done);
    }
    return out;
  }

  #line(line: string): SseEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): SseEvent | null {
    const data = this.#data;
    const event = this.#event || 'message';
    this.#data = [];
    this.#event = '';
    return data.length === 0 ? null : { event, data: data.join('\n'), id: this.lastId };
  }
}
