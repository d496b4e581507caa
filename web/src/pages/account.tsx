// SPDX-License-Identifier: MIT
/* The user's own: sessions and API tokens. */

import { session } from '../state/session.ts';
import { BackIcon } from '../ui/icons.tsx';
import { PageHeading, usePageTitle } from '../ui/page.tsx';
import { Sessions } from '../ui/sessions.tsx';
import { Tokens } from '../ui/tokens.tsx';

export function AccountPage() {
  usePageTitle('Account');
  const state = session.value;
  const user = state.kind === 'signed_in' ? state.user : null;
  return (
    <div class="page account">
      <a class="back" href="/projects">
        <BackIcon />
        Projects
      </a>
      <PageHeading>Account{user?.name ? ` of ${user.name}` : ''}</PageHeading>
      <Sessions />
      <Tokens isAdmin={user?.isAdmin === true} />
    </div>
  );
}
