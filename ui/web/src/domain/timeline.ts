// How rows become what the timeline shows: days, people's words, groups of what the system did. Pure.

import type { TimelineRow } from '../api/types';
import { dayKey } from './format';

export type Entry =
  | { kind: 'day'; key: string; time: string }
  /** What a person did; never grouped. */
  | { kind: 'row'; key: string; row: TimelineRow }
  /** Two or more things that the system did one after the other, in order. */
  | { kind: 'group'; key: string; rows: TimelineRow[] };

/** Arrange rows, oldest first, for display. A group ends where a person acts or a day ends. */
export function arrange(rows: readonly TimelineRow[]): Entry[] {
  const entries: Entry[] = [];
  let day = '';
  let run: TimelineRow[] = [];
  const close = () => {
    const [first] = run;
    if (first) {
      entries.push(
        run.length === 1
          ? { kind: 'row', key: `s${first.seq}`, row: first }
          : { kind: 'group', key: `g${first.seq}`, rows: run },
      );
    }
    run = [];
  };
  for (const row of rows) {
    const of = dayKey(row.time);
    if (of !== day) {
      close();
      day = of;
      entries.push({ kind: 'day', key: `d${of}`, time: row.time });
    }
    if (row.system) {
      run.push(row);
    } else {
      close();
      entries.push({ kind: 'row', key: `s${row.seq}`, row });
    }
  }
  close();
  return entries;
}

/** The row of a group that says most: a failure, else the last thing that happened. */
export function headline(rows: readonly TimelineRow[]): TimelineRow | undefined {
  const failed = rows.findLast((row) => row.type.includes('.run.failed.') && row.state === 'failed');
  return failed ?? rows.at(-1);
}

/** How long a group took, ms. */
export function duration(rows: readonly TimelineRow[]): number {
  const first = rows[0];
  const last = rows.at(-1);
  return first && last ? Math.max(0, Date.parse(last.time) - Date.parse(first.time)) : 0;
}

/** Rows from `from` on, oldest first: earlier ones may be known in parts only. */
export function from(rows: Readonly<Record<number, TimelineRow>>, least: number): TimelineRow[] {
  return Object.values(rows)
    .filter((row) => row.seq >= least)
    .sort((a, b) => a.seq - b.seq);
}
