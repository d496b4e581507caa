// SPDX-License-Identifier: MIT
/* The text of an .env file as variables. As the server reads its own: "export " before a name and comments are passed
 * over, '…' is taken as it stands, "…" knows \n \r \t \" \\ and both may go over lines. Pure. */

export interface Pasted {
  key: string;
  value: string;
  /** Where it stands in the text; 1 is the first line. */
  line: number;
}

export interface PasteFault {
  line: number;
  detail: string;
}

const NAME = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*/;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function unescape(text: string): string {
  return text.replace(/\\(.)/gs, (whole, c: string) => ESCAPED[c] ?? ('"\\$'.includes(c) ? c : whole));
}

/** A later line of the same name wins, as a shell has it. The first fault ends the reading: nothing is taken by halves. */
export function parseDotenv(text: string): Pasted[] | PasteFault {
  const found = new Map<string, Pasted>();
  let rest = text.replace(/\r\n?/g, '\n');
  let line = 1;
  while (rest !== '') {
    const end = rest.indexOf('\n');
    let taken = end < 0 ? rest : rest.slice(0, end + 1);
    const begun = taken.trim();
    if (begun !== '' && !begun.startsWith('#')) {
      const key = NAME.exec(taken);
      if (!key?.[1]) return { line, detail: 'is no NAME=value' };
      const after = rest.slice(key[0].length);
      const quoted = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")[ \t]*(?:#[^\n]*)?(?:\n|$)/s.exec(after);
      if (quoted) taken = rest.slice(0, key[0].length + quoted[0].length);
      else if (/^['"]/.test(after)) return { line, detail: 'has a quote that does not end, or text after it' };
      const plain = taken.slice(key[0].length).replace(/(^|\s)#.*$/s, '').trim();
      found.set(key[1], { key: key[1], value: quoted ? (quoted[1] ?? unescape(quoted[2] ?? '')) : plain, line });
    }
    line += taken.split('\n').length - 1;
    rest = rest.slice(taken.length);
  }
  return [...found.values()];
}
