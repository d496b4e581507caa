// SPDX-License-Identifier: MIT
/* The frame of one page: its title in the tab, and its heading focused after a move so that it is read out. */

import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { arrivals } from '../state/nav.ts';

/** The page that was loaded keeps the browser's own focus; only moves inside the site set it. */
let seenArrivals = 0;

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · FullStack Agent`;
  }, [title]);
}

/** The one first-level heading of a page. */
export function PageHeading(props: { children: ComponentChildren; class?: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (seenArrivals === arrivals.peek()) return;
    seenArrivals = arrivals.peek();
    ref.current?.focus();
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1} class={props.class}>
      {props.children}
    </h1>
  );
}
