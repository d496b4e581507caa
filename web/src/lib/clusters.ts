// SPDX-License-Identifier: MIT
/* Which clusters a new project can be given, in words. Pure. */

import type { Cluster } from '../net/types.ts';

export interface ClusterChoice {
  name: string;
  label: string;
}

const STATES: Readonly<Record<string, string>> = {
  starting: 'is being read',
  unreachable: 'does not answer now',
};

/** Nothing where there is nothing to choose. The default one comes first. */
export function clusterChoices(clusters: readonly Cluster[]): ClusterChoice[] {
  if (clusters.length < 2) return [];
  const ordered = [...clusters.filter((c) => c.isDefault), ...clusters.filter((c) => !c.isDefault)];
  return ordered.map((c) => {
    const notes = [...(c.isDefault ? ['default'] : []), ...(STATES[c.status] ? [STATES[c.status]] : [])];
    return { name: c.name, label: notes.length > 0 ? `${c.name} (${notes.join(', ')})` : c.name };
  });
}
