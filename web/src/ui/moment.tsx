// SPDX-License-Identifier: MIT
/* A moment that lies ahead, as its date. */

import { formatMoment, parseTime } from '../lib/time.ts';

export function Moment(props: { at: string }) {
  return <time dateTime={props.at}>{formatMoment(parseTime(props.at))}</time>;
}
