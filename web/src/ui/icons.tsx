// SPDX-License-Identifier: MIT
/* All pictures, drawn on a 16 unit grid in the colour of the text around them. They repeat a word that stands beside
 * them, so they are hidden from assistive technologies. */

import type { ComponentChildren } from 'preact';

interface IconProps {
  class?: string;
}

function Icon(props: IconProps & { children: ComponentChildren }) {
  return (
    <svg class={`icon ${props.class ?? ''}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {props.children}
    </svg>
  );
}

export const PendingIcon = (p: IconProps) => (
  <Icon {...p}>
    <circle cx="8" cy="8" r="6" stroke-dasharray="2 2.19" />
  </Icon>
);

export const ProgressIcon = (p: IconProps) => (
  <Icon class={`spins ${p.class ?? ''}`}>
    <circle cx="8" cy="8" r="6" opacity=".25" />
    <path d="M8 2a6 6 0 0 1 6 6" />
  </Icon>
);

export const DoneIcon = (p: IconProps) => (
  <Icon {...p}>
    <circle cx="8" cy="8" r="7" class="solid" />
    <path d="m4.9 8.2 2.2 2.2 4-4.6" class="cut" />
  </Icon>
);

export const FailedIcon = (p: IconProps) => (
  <Icon {...p}>
    <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" class="solid" />
    <path d="M8 4.4v4M8 11.3v.01" class="cut" />
  </Icon>
);

export const SkippedIcon = (p: IconProps) => (
  <Icon {...p}>
    <circle cx="8" cy="8" r="6" />
    <path d="M5.5 8h5" />
  </Icon>
);

export const StoppedIcon = (p: IconProps) => (
  <Icon {...p}>
    <circle cx="8" cy="8" r="6" />
    <path d="M6.2 6.2h3.6v3.6H6.2z" class="solid" />
  </Icon>
);

export const PlusIcon = (p: IconProps) => (
  <Icon {...p}>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);

export const SearchIcon = (p: IconProps) => (
  <Icon {...p}>
    <circle cx="7" cy="7" r="4.2" />
    <path d="m10.2 10.2 3.6 3.6" />
  </Icon>
);

export const CopyIcon = (p: IconProps) => (
  <Icon {...p}>
    <path d="M5.5 5.5h8v8h-8zM10.5 5.3V2.5h-8v8h2.8" />
  </Icon>
);

export const OpenIcon = (p: IconProps) => (
  <Icon {...p}>
    <path d="M9 2.5h4.5V7M13.2 2.8 7.5 8.5M7 3.5H2.5v10h10V9" />
  </Icon>
);

export const BackIcon = (p: IconProps) => (
  <Icon {...p}>
    <path d="M9.8 3.2 5 8l4.8 4.8" />
  </Icon>
);

/** Five stages, one above the other, the last one done. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
    <path d="M3 3h14M3 6.5h10M3 10h12M3 13.5h7" />
    <path d="M3 17h4" class="accent" />
  </svg>
);
