// SPDX-License-Identifier: MIT
/* The two faces of signing in: the page that explains the one-time link, and the page that the link opens. */

import { useEffect, useState } from 'preact/hooks';
import { ApiError, api } from '../net/api.ts';
import { place } from '../state/nav.ts';
import { checkSession, rememberPlace, session, signInByGitHub, signInByToken } from '../state/session.ts';
import { useAct, type Act } from '../ui/act.ts';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { ActButton, ErrorNote } from '../ui/parts.tsx';

/** What the server's redirect says, in its words of one. */
const FAILURES: Readonly<Record<string, string>> = {
  state: 'This sign-in was not begun in this browser, was used before, or took longer than ten minutes.',
  denied: 'You did not allow it at GitHub.',
  refused: 'GitHub refused the sign-in.',
  unavailable: 'GitHub or this server did not answer in time.',
};

/** Nothing where the server does not offer it. */
function GitHubButton() {
  const [isOffered, setOffered] = useState(false);
  const act = useAct();
  const error = new URLSearchParams(place.value.search).get('error');
  const failure = error === null ? null : (FAILURES[error] ?? 'The sign-in did not work.');
  useEffect(() => {
    api.providers().then(({ body }) => setOffered('github' in body), () => {});
  }, []);
  return (
    <>
      {failure && <ErrorNote error={new ApiError(failure, 0, null)} title="Not signed in." />}
      {isOffered && (
        <p>
          <ActButton act={act} class="primary" work={signInByGitHub}>
            Sign in with GitHub
          </ActButton>
        </p>
      )}
      {act.error && <ErrorNote error={act.error} />}
    </>
  );
}

function LinkHelp() {
  return (
    <>
      <p>
        This server signs you in by a one-time link. Who runs the server makes one with{' '}
        <code>fullstackd signin-link</code>; the demo prints one when it starts.
      </p>
      <ul class="plain">
        <li>A link works once and only for a short time.</li>
        <li>Open it in the browser that you want to be signed in with.</li>
      </ul>
    </>
  );
}

const HEADINGS = {
  never: 'Sign in',
  ended: 'Signed out, sign in again',
  left: 'You are signed out',
} as const;

/** Stands in the place of any page while nobody is signed in, and keeps that page's address. */
export function SignInPage(props: { reason: keyof typeof HEADINGS }) {
  usePageTitle('Sign in');
  const path = place.value.path;
  const keepsPlace = props.reason !== 'left' && path !== '/' && path !== '/signin';
  useEffect(() => {
    if (keepsPlace) rememberPlace();
  }, [keepsPlace, path]);
  return (
    <div class="narrow">
      <PageHeading>{HEADINGS[props.reason]}</PageHeading>
      {props.reason === 'ended' && <p>Your session has ended. Nothing was changed on the server.</p>}
      <GitHubButton />
      <LinkHelp />
      {keepsPlace && (
        <p class="fine">
          Afterwards you come back to <code>{path}</code>. Already signed in in another tab? This page notices when you
          return to it.
        </p>
      )}
    </div>
  );
}

/** Takes the token out of the address before anything else, so that it is in no history and no referrer. */
function takeToken(): string {
  const token = new URLSearchParams(location.search).get('token') ?? '';
  if (token) history.replaceState(null, '', '/signin');
  return token;
}

/** A page of another site has led here: whose link it is, nobody knows. */
function comesFromElsewhere(): boolean {
  return document.referrer !== '' && new URL(document.referrer).origin !== location.origin;
}

/** Nobody is led into an account that is not his by a link on some page, nor out of his own. */
function AskFirst(props: { act: Act; work(): Promise<void> }) {
  const state = session.value;
  return (
    <div class="narrow">
      <PageHeading>Sign in with this link?</PageHeading>
      {state.kind === 'signed_in' ? (
        <p>
          You are signed in as <strong>{state.user.name ?? state.user.email ?? 'somebody'}</strong>. The link may be of another
          user; this session ends when you follow it.
        </p>
      ) : (
        <p>Another site has led you here. Follow the link only if it was made for you: it signs you in as whom it was made for.</p>
      )}
      <div class="acts">
        <ActButton act={props.act} class="primary" work={props.work}>
          Sign in
        </ActButton>
        <a class="button" href="/">
          Leave it
        </a>
      </div>
    </div>
  );
}

export function SignInLinkPage() {
  usePageTitle('Signing in');
  const [token] = useState(takeToken);
  const [hasBegun, setBegun] = useState(false);
  const act = useAct();
  const kind = session.value.kind;
  const mustAsk = kind === 'signed_in' || comesFromElsewhere();
  const signIn = (): Promise<void> => {
    setBegun(true);
    return signInByToken(token);
  };
  useEffect(() => {
    if (token && !hasBegun && !mustAsk && kind !== 'unknown') act.run(signIn);
  }, [token, kind]);
  const error = act.error;
  if (!token) return <SignInPage reason="never" />;
  if (!hasBegun && mustAsk && kind !== 'unknown') return <AskFirst act={act} work={signIn} />;
  if (error?.status === 401) return <SpentLink />;
  return (
    <div class="narrow">
      <PageHeading>{error ? 'Not signed in yet' : 'Signing in…'}</PageHeading>
      {error && (
        <ErrorNote error={error}>
          <button type="button" class="button" disabled={act.isBusy} onClick={() => act.run(() => signInByToken(token))}>
            Try again
          </button>
        </ErrorNote>
      )}
    </div>
  );
}

function SpentLink() {
  const isIn = session.value.kind === 'signed_in';
  return (
    <div class="narrow">
      <PageHeading>This link was used before or has expired</PageHeading>
      <LinkHelp />
      {isIn && (
        <p>
          You are already signed in here: <a href="/projects">go to your projects</a>.
        </p>
      )}
    </div>
  );
}

/** The server did not say who we are. */
export function UnreachablePage(props: { message: string }) {
  usePageTitle('Not reachable');
  const act = useAct();
  return (
    <div class="narrow">
      <PageHeading>The server does not answer</PageHeading>
      <ErrorNote error={new ApiError(props.message, 0, null)}>
        <button type="button" class="button" disabled={act.isBusy} onClick={() => act.run(checkSession)}>
          Try again
        </button>
      </ErrorNote>
    </div>
  );
}
