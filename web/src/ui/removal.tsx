// SPDX-License-Identifier: MIT
/* The dialogs that take something away, for good or for a while. Each says first what goes and what stays. */

import { useState } from 'preact/hooks';
import type { SandboxView } from '../lib/sandbox_state.ts';
import { api, type ProjectAction } from '../net/api.ts';
import type { Project } from '../net/types.ts';
import { announce } from '../state/announce.ts';
import { navigate } from '../state/nav.ts';
import { loadProjects } from '../state/projects.ts';
import { actOnProject, removeSandbox } from '../state/sandbox.ts';
import { useAct } from './act.ts';
import { Dialog, ErrorNote } from './parts.tsx';

/** What is asked before it is done. */
export type PauseAction = Exclude<ProjectAction, 'start'>;

function GoesAndStays(props: { goes: string; stays: string; verb?: string }) {
  return (
    <dl class="fate">
      <div data-fate="goes">
        <dt>{props.verb ?? 'Removed'}</dt>
        <dd>{props.goes}</dd>
      </div>
      <div data-fate="stays">
        <dt>Kept</dt>
        <dd>{props.stays}</dd>
      </div>
    </dl>
  );
}

export function RemoveSandboxDialog(props: { projectId: string; view: SandboxView; onClose(): void }) {
  const act = useAct();
  const isCreating = props.view.status === 'creating';
  const remove = async (): Promise<void> => {
    await removeSandbox(props.projectId);
    props.onClose();
  };
  return (
    <Dialog title={isCreating ? 'Cancel this creation?' : 'Remove the sandbox?'} onClose={props.onClose}>
      <GoesAndStays
        goes={
          isCreating
            ? 'The container, its network and its addresses, as far as they were made.'
            : 'The container with the files in it, its network and its addresses.'
        }
        stays="The project and its database with all data. A later sandbox uses the same database."
      />
      {act.error && <ErrorNote error={act.error} />}
      <div class="acts">
        <button type="button" class="button danger" disabled={act.isBusy} onClick={() => act.run(remove)}>
          {isCreating ? 'Cancel creation' : 'Remove sandbox'}
        </button>
        <button type="button" class="button" autofocus onClick={props.onClose}>
          {isCreating ? 'Keep going' : 'Keep it'}
        </button>
      </div>
    </Dialog>
  );
}

interface PauseWords {
  title: string;
  goes: string;
  stays: string;
  yes: string;
  no: string;
}

function pauseWords(action: PauseAction, view: SandboxView): PauseWords {
  const programs = 'Files in the container, unless they are on a volume.';
  const stays = 'The database with its data, the settings, and both addresses, which stay the same.';
  if (action === 'restart') {
    return { title: 'Restart the environment?', goes: `Terminal sessions and running programs. ${programs}`, stays, yes: 'Restart environment', no: 'Keep it running' };
  }
  if (view.status === 'terminated') {
    return { title: 'Stop the database?', goes: 'The database server and all connections to it.', stays: 'The database with its data.', yes: 'Stop database', no: 'Leave it' };
  }
  return {
    title: 'Stop the environment?',
    goes: `Terminal sessions, running programs and the database server. ${programs}`,
    stays,
    yes: 'Stop environment',
    no: view.status === 'running' ? 'Keep it running' : view.status === 'starting' ? 'Let it start' : 'Leave it',
  };
}

/** Stop, or restart: what runs ends, what it holds stays. */
export function PauseDialog(props: { projectId: string; action: PauseAction; view: SandboxView; onClose(): void }) {
  const act = useAct();
  const words = pauseWords(props.action, props.view);
  const pause = async (): Promise<void> => {
    await actOnProject(props.projectId, props.action);
    props.onClose();
  };
  return (
    <Dialog title={words.title} onClose={props.onClose}>
      <GoesAndStays verb="Ended" goes={words.goes} stays={words.stays} />
      {act.error && <ErrorNote error={act.error} />}
      <div class="acts">
        <button type="button" class="button danger" disabled={act.isBusy} onClick={() => act.run(pause)}>
          {act.isBusy ? 'Asking…' : words.yes}
        </button>
        <button type="button" class="button" autofocus onClick={props.onClose}>
          {words.no}
        </button>
      </div>
    </Dialog>
  );
}

export function DeleteProjectDialog(props: { project: Project; onClose(): void }) {
  const { project } = props;
  const [typed, setTyped] = useState('');
  const [takesDatabase, setTakesDatabase] = useState(false);
  const act = useAct();
  const isTyped = typed.trim() === project.name.trim();
  const remove = async (): Promise<void> => {
    await api.deleteProject(project.id, takesDatabase ? 'delete-database' : 'keep-database');
    announce(`Deleting ${project.name}.`);
    props.onClose();
    navigate('/projects');
    void loadProjects();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isTyped) act.run(remove);
  };
  return (
    <Dialog title={`Delete ${project.name}?`} onClose={props.onClose}>
      <form onSubmit={submit}>
        <GoesAndStays
          goes={takesDatabase ? 'The project, its sandbox, and the database with all its data.' : 'The project and its sandbox.'}
          stays={takesDatabase ? 'Nothing.' : 'The database with all its data, in the cluster.'}
        />
        <label class="check">
          <input type="checkbox" name="database" checked={takesDatabase} onChange={(e) => setTakesDatabase(e.currentTarget.checked)} />
          <span>Also delete the database</span>
        </label>
        <div class="field">
          <label for="typed">
            Type <code>{project.name}</code> to confirm
          </label>
          <input id="typed" autofocus autocomplete="off" spellcheck={false} value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
        </div>
        {act.error && <ErrorNote error={act.error} />}
        <div class="acts">
          <button type="submit" class="button danger" disabled={!isTyped || act.isBusy}>
            {act.isBusy ? 'Deleting…' : 'Delete project'}
          </button>
          <button type="button" class="button" onClick={props.onClose}>
            Keep it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
