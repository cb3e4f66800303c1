import { useEffect, useMemo, useRef, useState } from 'react';
import { getRows } from '../api/queries';
import type { FeedDetail, TimelineRow } from '../api/types';
import { from } from '../domain/timeline';
import { tell, useLive } from '../live/store';

/** Rows read at once. */
const PAGE = 50;

interface Reading {
  rows: TimelineRow[];
  /** Rows before the first one exist and can be read. */
  more: boolean;
  busy: boolean;
  failed: boolean;
  earlier: () => void;
}

/** The timeline of a feed: the newest rows, live, and earlier ones on demand. */
export function useTimeline(feed: string, detail: FeedDetail): Reading {
  const known = useLive((state) => state.feeds[feed]?.rows);
  const generation = useLive((state) => state.feeds[feed]?.generation ?? 0);
  // Rows before `least` may be known in parts (from the home page): they are not shown until they were read.
  const [least, setLeast] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const ended = useRef<AbortController>(undefined);

  const read = async (before: number | undefined, control: AbortController) => {
    setBusy(true);
    setFailed(false);
    try {
      const rows = await getRows(feed, PAGE, before, control.signal);
      tell({ kind: 'rows', feed, rows, asActivity: false });
      const first = rows.at(-1)?.seq ?? 1;
      setLeast(rows.length < PAGE ? 1 : first);
    } catch {
      // The reader sees that it failed and can ask again.
      if (!control.signal.aborted) setFailed(true);
    } finally {
      if (!control.signal.aborted) setBusy(false);
    }
  };

  // A snapshot drops the rows that were known, so they are read anew (generation).
  // biome-ignore lint/correctness/useExhaustiveDependencies: read when the feed or the generation changes
  useEffect(() => {
    const control = new AbortController();
    ended.current = control;
    void read(undefined, control);
    return () => control.abort();
  }, [feed, generation]);

  const rows = useMemo(
    () => from(known ?? {}, least ?? Math.max(1, detail.card.version - PAGE + 1)),
    [known, least, detail.card.version],
  );
  return {
    rows,
    more: least !== null && least > 1,
    busy,
    failed,
    earlier: () => {
      const control = ended.current;
      if (control && !busy) void read(least ?? undefined, control);
    },
  };
}
