// SPDX-License-Identifier: MIT
/* Runs before the first paint, so that a chosen theme does not flash the other one. Stands alone on purpose: anything
 * imported here would block painting. The key is that of state/prefs.ts. */

try {
  document.documentElement.dataset['theme'] = localStorage.getItem('fs.theme') ?? 'system';
} catch {
  document.documentElement.dataset['theme'] = 'system';
}
