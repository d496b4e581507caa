// SPDX-License-Identifier: MIT
/* Where the user is, as a signal over the browser's history. Clicks on plain links of this site stay in the page. */

import { signal } from '@preact/signals';
import { isLocalPath } from '../lib/router.ts';

export interface Place {
  path: string;
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

export const place = signal<Place>(here());
/** Counts moves to another page; the page that appears takes the focus. */
export const arrivals = signal(0);

export function navigate(to: string, mode: 'push' | 'replace' = 'push'): void {
  if (!isLocalPath(to)) return;
  if (mode === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  arrive();
}

/** Changes the query of this page without leaving it. */
export function replaceSearch(search: string): void {
  history.replaceState(null, '', location.pathname + search);
  place.value = here();
}

function arrive(): void {
  const isOtherPage = place.value.path !== location.pathname;
  place.value = here();
  if (!isOtherPage) return;
  arrivals.value += 1;
  window.scrollTo(0, 0);
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}

/** Call once. */
export function startNavigation(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', onClick);
}
