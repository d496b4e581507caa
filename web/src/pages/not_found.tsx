// SPDX-License-Identifier: MIT
/* An address that is nothing here. */

import { PageHeading, usePageTitle } from '../ui/page.tsx';

export function NotFoundPage(props: { what?: string }) {
  usePageTitle('Not found');
  return (
    <div class="narrow">
      <PageHeading>{props.what ?? 'There is no such page'}</PageHeading>
      <p>The address may be mistyped, or what stood here was deleted.</p>
      <p>
        <a class="button" href="/projects">
          All projects
        </a>
      </p>
    </div>
  );
}
