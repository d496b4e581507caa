// SPDX-License-Identifier: MIT
/* A creation that waits for its turn: its place, how long that probably means, how long it has waited. */

import type { Queued } from '../lib/sandbox_state.ts';
import { formatAbout, formatTicking } from '../lib/time.ts';
import { serverNow } from '../state/tick.ts';

export function QueueCard(props: { queue: Queued }) {
  const { position, estimateMs, sinceMs } = props.queue;
  return (
    <div class="start" data-queue-position={position}>
      <p>
        <strong>{position === 1 ? 'Next in the queue.' : `Position ${position} in the queue.`}</strong> As many environments as
        the server makes at a time are under way. This one begins when its turn comes; nothing of it is made before.
      </p>
      <dl class="facts">
        <dt>Estimated wait from this place</dt>
        <dd data-queue-estimate>{estimateMs === null ? 'not known yet' : formatAbout(estimateMs)}</dd>
        <dt>Waiting for</dt>
        <dd class="time">{formatTicking(serverNow.value - sinceMs)}</dd>
      </dl>
    </div>
  );
}
