import { ChevronDown } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { usePeople } from '../api/queries';
import type { FeedDetail, TimelineRow } from '../api/types';
import { dayName, timeSpan } from '../domain/format';
import { arrange, duration, headline } from '../domain/timeline';
import { useLive } from '../live/store';
import { Time } from '../parts/Time';
import { useNow } from '../parts/useNow';
import { text } from '../texts';
import { Comment, PendingComment } from './Comment';
import { Composer } from './Composer';
import { RowIcon } from './RowIcon';
import css from './Timeline.module.css';
import { useTimeline } from './useTimeline';
import { pluginsOf, tellRow } from './words';

/** How near the end the reader must be for the timeline to follow it, px. */
const NEAR = 80;

/** Everything that happened in a feed, and the place to say something. */
export function Timeline({ feed, detail }: { feed: string; detail: FeedDetail }) {
  const { rows, more, busy, failed, earlier } = useTimeline(feed, detail);
  const pending = useLive((state) => state.pending);
  const people = usePeople();
  const now = useNow();
  const entries = useMemo(() => arrange(rows), [rows]);
  const plugins = useMemo(
    () => ({
      ...pluginsOf(rows),
      ...Object.fromEntries(detail.series.flatMap(({ run }) => (run ? [[run.job, run.plugin]] : []))),
    }),
    [rows, detail.series],
  );
  const posting = Object.values(pending)
    .filter(({ command }) => command.feed === feed && command.type === 'post_comment')
    .sort((a, b) => a.at - b.at);
  const scroller = useFollowEnd(`${rows.at(-1)?.seq ?? 0}.${posting.length}`);

  return (
    <aside className={css.timeline} aria-label={text.timeline.title}>
      <h2 className={css.title}>{text.timeline.title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className={css.scroll} ref={scroller} tabIndex={0} aria-label={text.timeline.title}>
        {(more || failed) && (
          <button type="button" className={css.earlier} onClick={earlier} disabled={busy}>
            {busy ? text.timeline.loading : failed ? text.errors.retry : text.timeline.earlier}
          </button>
        )}
        {rows.length === 0 && posting.length === 0 && !busy && (
          <p className={css.nothing}>{text.timeline.empty}</p>
        )}
        <ol className={css.spine}>
          {entries.map((entry) => {
            if (entry.kind === 'day') {
              return (
                <li key={entry.key} className={css.day}>
                  <span>{dayName(entry.time, now)}</span>
                </li>
              );
            }
            if (entry.kind === 'group') {
              return <Group key={entry.key} rows={entry.rows} people={people} plugins={plugins} />;
            }
            return entry.row.kind === 'comment' ? (
              <Comment key={entry.key} feed={feed} row={entry.row} detail={detail} />
            ) : (
              <Row key={entry.key} row={entry.row} people={people} plugins={plugins} />
            );
          })}
          {posting.map((one) => (
            <PendingComment key={one.command.id} pending={one} />
          ))}
        </ol>
      </section>
      <Composer feed={feed} />
    </aside>
  );
}

interface Words {
  people: Record<string, string>;
  plugins: Record<string, string>;
}

function Row({ row, people, plugins }: { row: TimelineRow } & Words) {
  const { who, what } = tellRow(row, people, plugins);
  return (
    <li className={css.row} data-seq={row.seq} data-type={row.type}>
      <RowIcon row={row} name={who} />
      <p>
        {who && <b>{who} </b>}
        {what} <Ago iso={row.time} />
      </p>
    </li>
  );
}

function Group({ rows, people, plugins }: { rows: TimelineRow[] } & Words) {
  const [open, setOpen] = useState(false);
  const head = headline(rows);
  if (!head) return null;
  const { what } = tellRow(head, people, plugins);
  return (
    <li className={css.group}>
      <div className={css.row}>
        <RowIcon row={head} name="" />
        <div>
          <p>
            {what} <Ago iso={head.time} />
          </p>
          <button
            type="button"
            className={css.more}
            aria-expanded={open}
            onClick={() => setOpen((before) => !before)}
          >
            {open ? text.timeline.collapse : text.timeline.steps(rows.length, timeSpan(duration(rows)))}
            <ChevronDown size={14} aria-hidden="true" />
          </button>
        </div>
      </div>
      {open && (
        <ol className={css.steps}>
          {rows.map((row) => (
            <Row key={row.seq} row={row} people={people} plugins={plugins} />
          ))}
        </ol>
      )}
    </li>
  );
}

function Ago({ iso }: { iso: string }) {
  return (
    <small className={css.ago}>
      <Time iso={iso} />
    </small>
  );
}

/** Keep the end in view while the reader is there; never move one who reads elsewhere. */
function useFollowEnd(end: string) {
  const scroller = useRef<HTMLElement>(null);
  const near = useRef(true);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const onScroll = () => {
      near.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scroll when the end changes
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && near.current) element.scrollTop = element.scrollHeight;
  }, [end]);
  return scroller;
}
