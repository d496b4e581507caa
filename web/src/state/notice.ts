// SPDX-License-Identifier: MIT
/* An error that one page leaves for the next one to show. */

import { signal } from '@preact/signals';
import type { ApiError } from '../net/api.ts';

export const notice = signal<ApiError | null>(null);

export function leaveNotice(error: ApiError): void {
  notice.value = error;
}

export function clearNotice(): void {
  notice.value = null;
}
