// SPDX-License-Identifier: MIT
/* The composition root: which page an address means, and what runs beside the pages. */

import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ComponentChild } from 'preact';
import { matchRoute, type Params } from './lib/router.ts';
import { AccountPage } from './pages/account.tsx';
import { DevicePage } from './pages/device.tsx';
import { EnvironmentPage } from './pages/environment.tsx';
import { NewProjectPage } from './pages/new_project.tsx';
import { NotFoundPage } from './pages/not_found.tsx';
import { ProjectPage } from './pages/project.tsx';
import { ProjectsPage } from './pages/projects.tsx';
import { SignInLinkPage, SignInPage, UnreachablePage } from './pages/signin.tsx';
import { startLive } from './state/live.ts';
import { navigate, place, startNavigation } from './state/nav.ts';
import { forgetProjects, startProjects } from './state/projects.ts';
import { applyTheme } from './state/prefs.ts';
import { startSandboxes } from './state/sandbox.ts';
import { checkSession, session, startSession } from './state/session.ts';
import { startKeys } from './ui/keys.tsx';
import { Shell } from './ui/shell.tsx';
import './styles/main.css';

const ROUTES: readonly (readonly [string, (params: Params) => ComponentChild])[] = [
  ['/', () => <ToProjects />],
  ['/account', () => <AccountPage />],
  ['/device', () => <DevicePage />],
  ['/projects', () => <ProjectsPage />],
  ['/projects/new', () => <NewProjectPage />],
  ['/projects/:id/environment', ({ id }) => <EnvironmentPage key={id} id={id ?? ''} />],
  ['/projects/:id', ({ id }) => <ProjectPage id={id ?? ''} />],
];

function ToProjects() {
  useEffect(() => navigate('/projects', 'replace'), []);
  return null;
}

function Page() {
  const { path } = place.value;
  const state = session.value;
  // The link must work whoever is signed in, also over an older session.
  if (matchRoute([['/signin', true]], path)) return <SignInLinkPage />;
  if (state.kind === 'unknown') return null;
  if (state.kind === 'unreachable') return <UnreachablePage message={state.message} />;
  if (state.kind === 'signed_out') return <SignInPage reason={state.reason} />;
  const match = matchRoute(ROUTES, path);
  return match ? match.target(match.params) : <NotFoundPage />;
}

applyTheme();
startNavigation();
startSession();
startProjects();
startSandboxes();
startLive();
startKeys();
session.subscribe((state) => {
  if (state.kind === 'signed_out') forgetProjects();
});
void checkSession();

const root = document.getElementById('app');
if (root) render(<Shell><Page /></Shell>, root);
