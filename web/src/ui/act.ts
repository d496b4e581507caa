// SPDX-License-Identifier: MIT
/* One act of the user that asks the server: busy while it runs, an error when it failed, never twice at once. */

import { useState } from 'preact/hooks';
import { ApiError } from '../net/api.ts';

export interface Act {
  isBusy: boolean;
  error: ApiError | null;
  run(work: () => Promise<void>): void;
}

export function useAct(): Act {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = (work: () => Promise<void>): void => {
    if (isBusy) return;
    setBusy(true);
    setError(null);
    work()
      .catch((e: unknown) => setError(e instanceof ApiError ? e : new ApiError(String(e), 0, null)))
      .finally(() => setBusy(false));
  };
  return { isBusy, error, run };
}
