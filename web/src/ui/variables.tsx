// SPDX-License-Identifier: MIT
/* One variable, and the two ways to set more: one by one, or the text of an .env file. A secret's value is asked of the
 * server only when its owner wants to see or to change it. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { parseDotenv } from '../lib/dotenv.ts';
import { api, newIdempotencyKey, type FieldError } from '../net/api.ts';
import type { Category, Variable, VariableWish } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { useAct } from './act.ts';
import { errorOf, Field } from './field.tsx';
import { Dialog, ErrorNote } from './parts.tsx';

/** In the order of the page. */
export const CATEGORY_WORD: Readonly<Record<Category, string>> = {
  general: 'General',
  auth: 'Sign-in',
  payment: 'Payment',
  ttyd: 'Terminal',
  file_browser: 'File browser',
  secret: 'Secrets',
};

interface Changing {
  projectId: string;
  onChanged(): Promise<void>;
}

async function revealed(projectId: string, id: string): Promise<string> {
  const { body } = await api.variables(projectId, 'reveal');
  return Object.values(body).flat().find((v) => v.id === id)?.value ?? '';
}

function Editor(props: Changing & { variable: Variable; value: string; onClose(): void }) {
  const { projectId, variable } = props;
  const [value, setValue] = useState(props.value);
  const act = useAct();
  const save = async (): Promise<void> => {
    await api.changeVariable(projectId, variable.id, value);
    announce(`${variable.key} changed.`);
    await props.onChanged();
    props.onClose();
  };
  const told = errorOf(act.error?.fields ?? [], '/value');
  return (
    <Dialog title={`Change ${variable.key}`} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run(save);
        }}
      >
        <Field id="new-value" label="Value" note="A running sandbox is restarted with it." error={told}>
          {(a) => (
            <textarea {...a} rows={4} autofocus autocomplete="off" spellcheck={false} value={value} onInput={(e) => setValue(e.currentTarget.value)} />
          )}
        </Field>
        {act.error && !told && <ErrorNote error={act.error} title="It was not changed." />}
        <div class="acts">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            {act.isBusy ? 'Storing…' : 'Store'}
          </button>
          <button type="button" class="button" onClick={props.onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Remover(props: Changing & { variable: Variable; onClose(): void }) {
  const { projectId, variable } = props;
  const act = useAct();
  const remove = async (): Promise<void> => {
    await api.removeVariable(projectId, variable.id);
    announce(`${variable.key} deleted.`);
    props.onClose();
    await props.onChanged();
  };
  return (
    <Dialog title={`Delete ${variable.key}?`} onClose={props.onClose}>
      <p>Its value is lost. A running sandbox is restarted without it.</p>
      {act.error && <ErrorNote error={act.error} title="It was not deleted." />}
      <div class="acts">
        <button type="button" class="button danger" disabled={act.isBusy} onClick={() => act.run(remove)}>
          Delete variable
        </button>
        <button type="button" class="button" autofocus onClick={props.onClose}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}

export function VariableRow(props: Changing & { variable: Variable }) {
  const { projectId, variable } = props;
  const [shown, setShown] = useState<string | null>(null);
  const [edited, setEdited] = useState<string | null>(null);
  const [isGoing, setGoing] = useState(false);
  const act = useAct();
  // What was shown is no longer what is stored.
  useEffect(() => setShown(null), [variable.updatedAt]);
  const value = variable.value ?? shown;
  const toggle = async (): Promise<void> => setShown(shown === null ? await revealed(projectId, variable.id) : null);
  const edit = async (): Promise<void> => setEdited(value ?? (await revealed(projectId, variable.id)));
  return (
    <li class="row variable" data-variable={variable.key}>
      <code class="row-name">{variable.key}</code>
      <div class="variable-value">
        {value === null ? <span class="fine"><span aria-hidden="true">••••••••</span><span class="only-read">hidden</span></span> : <code>{value}</code>}
        {act.error && <ErrorNote error={act.error} />}
      </div>
      <div class="acts">
        {variable.isSecret && (
          <button type="button" class="button small" aria-pressed={shown !== null} onClick={() => act.run(toggle)}>
            {shown === null ? 'Show' : 'Hide'}
            <span class="only-read"> {variable.key}</span>
          </button>
        )}
        <button type="button" class="button small" onClick={() => act.run(edit)}>
          Change<span class="only-read"> {variable.key}</span>
        </button>
        <button type="button" class="button small" onClick={() => setGoing(true)}>
          Delete<span class="only-read"> {variable.key}</span>
        </button>
      </div>
      {edited !== null && <Editor {...props} value={edited} onClose={() => setEdited(null)} />}
      {isGoing && <Remover {...props} onClose={() => setGoing(false)} />}
    </li>
  );
}

interface Kind {
  category: Category;
  isSecret: boolean;
}

function KindFields(props: { id: string; kind: Kind; error: string | undefined; onChange(kind: Kind): void }) {
  const { kind } = props;
  return (
    <>
      <Field id={`${props.id}-category`} label="Category" note="Where it is listed." error={props.error}>
        {(a) => (
          <select {...a} value={kind.category} onChange={(e) => props.onChange({ ...kind, category: e.currentTarget.value as Category })}>
            {Object.entries(CATEGORY_WORD).map(([category, word]) => (
              <option key={category} value={category}>{word}</option>
            ))}
          </select>
        )}
      </Field>
      <label class="check">
        <input type="checkbox" checked={kind.isSecret} onChange={(e) => props.onChange({ ...kind, isSecret: e.currentTarget.checked })} />
        <span>
          Secret
          <span class="fine">Its value is hidden until you ask for it.</span>
        </span>
      </label>
    </>
  );
}

/** The first field that was refused takes the focus. */
function useRefused(fields: readonly FieldError[]): preact.RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (fields.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [fields]);
  return form;
}

const NONE: readonly FieldError[] = [];
const NEW: Required<Pick<VariableWish, 'key' | 'value'>> & Kind = { key: '', value: '', category: 'general', isSecret: false };

export function AddVariable(props: Changing) {
  const [draft, setDraft] = useState(NEW);
  const act = useAct();
  const fields = act.error?.fields ?? NONE;
  const form = useRefused(fields);
  const add = async (): Promise<void> => {
    await api.writeVariable(props.projectId, { ...draft, key: draft.key.trim() }, newIdempotencyKey());
    announce(`${draft.key.trim()} stored.`);
    setDraft({ ...NEW, category: draft.category, isSecret: draft.isSecret });
    await props.onChanged();
  };
  return (
    <section class="card" aria-labelledby="add">
      <h2 id="add">Set a variable</h2>
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          act.run(add);
        }}
      >
        <Field id="key" label="Name" note="One that is there already gets the new value." error={errorOf(fields, '/key')}>
          {(a) => (
            <input {...a} autocomplete="off" spellcheck={false} value={draft.key} onInput={(e) => setDraft({ ...draft, key: e.currentTarget.value })} />
          )}
        </Field>
        <Field id="value" label="Value" note="As it stands, over lines too." error={errorOf(fields, '/value')}>
          {(a) => (
            <textarea {...a} rows={2} autocomplete="off" spellcheck={false} value={draft.value} onInput={(e) => setDraft({ ...draft, value: e.currentTarget.value })} />
          )}
        </Field>
        <KindFields id="add" kind={draft} error={errorOf(fields, '/category')} onChange={(kind) => setDraft({ ...draft, ...kind })} />
        {act.error && fields.length === 0 && <ErrorNote error={act.error} title="It was not stored." />}
        <div class="acts">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            {act.isBusy ? 'Storing…' : 'Set variable'}
          </button>
        </div>
      </form>
    </section>
  );
}

export function PasteVariables(props: Changing) {
  const [text, setText] = useState('');
  const [kind, setKind] = useState<Kind>({ category: 'general', isSecret: true });
  const [fault, setFault] = useState<string | undefined>(undefined);
  const act = useAct();
  const parsed = parseDotenv(text);
  const list = Array.isArray(parsed) ? parsed : [];
  /** The server names the place in the list; who pasted knows lines. */
  const inLines = act.error?.fields.map(({ pointer, detail }) => {
    const line = list[Number(/^\/variables\/(\d+)/.exec(pointer)?.[1])]?.line;
    return line === undefined ? detail : `Line ${line}: ${detail}`;
  });
  const refused = fault ?? (inLines && inLines.length > 0 ? inLines.join(' ') : undefined);
  const store = async (): Promise<void> => {
    await api.addVariables(props.projectId, list.map(({ key, value }) => ({ key, value, ...kind })), newIdempotencyKey());
    announce(`${list.length} variables stored.`);
    setText('');
    await props.onChanged();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const wrong = Array.isArray(parsed) ? (list.length === 0 ? 'There is no variable in it.' : undefined) : `Line ${parsed.line} ${parsed.detail}.`;
    setFault(wrong);
    if (!wrong) act.run(store);
  };
  return (
    <section class="card" aria-labelledby="paste">
      <h2 id="paste">Paste an .env file</h2>
      <form onSubmit={submit} noValidate>
        <Field id="env-text" label="Its text" note={`NAME=value, one a line. ${list.length} found. What is set already and not in it stays.`} error={refused}>
          {(a) => (
            <textarea {...a} rows={6} autocomplete="off" spellcheck={false} value={text}
              onInput={(e) => {
                setText(e.currentTarget.value);
                setFault(undefined);
              }} />
          )}
        </Field>
        <KindFields id="paste" kind={kind} error={undefined} onChange={setKind} />
        {act.error && !refused && <ErrorNote error={act.error} title="They were not stored." />}
        <div class="acts">
          <button type="submit" class="button" disabled={act.isBusy}>
            {act.isBusy ? 'Storing…' : 'Set all'}
          </button>
        </div>
      </form>
    </section>
  );
}
