// What a source did lately, and what it lacks, at a moment. Pure; windows end at `now`, Unix ms by the server's clock.

import type { IncompleteSeries, RefusalCount, Slice, SourceView } from '../api/types';
import { text } from '../texts';

const MINUTE_S = 60;
const HOUR_S = 3600;
const RECENT_S = 10;
/** Without an image for so long a series is not arriving: it was here already, and nothing settles. */
const OPEN_FOR_MS = 15 * 60_000;

export interface Amount {
  images: number;
  bytes: number;
}

/** Images of the last minute, to within 10 s. */
export function lastMinute(of: SourceView, now: number): Amount {
  return sum(of.recent ?? [], now / 1000 - MINUTE_S - RECENT_S);
}

/** Images of the last hour, to within a minute. */
export function lastHour(of: SourceView, now: number): Amount {
  return sum(of.minutes ?? [], now / 1000 - HOUR_S - MINUTE_S);
}

/** What was refused in the last hour, the most frequent first. */
export function refusedLately(of: SourceView, now: number): { refusal: RefusalCount; times: number }[] {
  const oldest = now / 1000 - HOUR_S - MINUTE_S;
  return (of.refusals ?? [])
    .map((refusal) => ({
      refusal,
      times: refusal.minutes.reduce((all, [start, times]) => all + (start > oldest ? times : 0), 0),
    }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => b.times - a.times);
}

/** The series that lack something or are arriving, the newest first. */
export function incompleteNow(of: SourceView, now: number): IncompleteSeries[] {
  return (of.incomplete ?? [])
    .filter((one) => one.state !== 'open' || now - Date.parse(one.last) < OPEN_FOR_MS)
    .toReversed();
}

/** Why something was refused, and what to do. */
export function refusalText({ reason }: RefusalCount): [string, string] {
  const { reasons, malformed, unknown } = text.sources;
  const found = reasons[reason];
  if (found) return found;
  const why = text.codes.reasons[reason];
  return why ? [why, malformed] : [reason, unknown];
}

/** By name, so that rows keep their places while numbers change; who was never seen last, strangers after those configured. */
export function arranged(sources: Readonly<Record<string, SourceView>>): SourceView[] {
  return Object.values(sources).sort(
    (a, b) =>
      Number(Boolean(b.seen)) - Number(Boolean(a.seen)) ||
      Number(b.is_configured ?? false) - Number(a.is_configured ?? false) ||
      a.source.localeCompare(b.source, undefined, { numeric: true, sensitivity: 'base' }),
  );
}

function sum(slices: Slice[], oldest: number): Amount {
  let images = 0;
  let bytes = 0;
  for (const [start, count, size] of slices) {
    if (start <= oldest) continue;
    images += count;
    bytes += size;
  }
  return { images, bytes };
}
