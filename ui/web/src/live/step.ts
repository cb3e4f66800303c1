// The event store's one decision function: state and input give the next state and what to ask the
// server. No clock, no socket, no chance.

import type {
  Card,
  ClientFrame,
  Command,
  FeedDetail,
  FeedEvent,
  SeriesCounts,
  ServerFrame,
  SourceView,
  TimelineRow,
} from '../api/types';
import { apply, rowOf } from '../domain/events';
import {
  type ActivityItem,
  type FeedState,
  FIRST_LOOK,
  type LiveState,
  MAX_ACTIVITY,
  MAX_FOLLOWED,
  type PendingState,
  type Sort,
} from './state';

export type Input =
  | { kind: 'frame'; frame: ServerFrame }
  | { kind: 'opened' }
  | { kind: 'cards'; cards: Card[]; counts: SeriesCounts[]; sort: Sort }
  | { kind: 'arrange'; sort: Sort }
  | { kind: 'top'; atTop: boolean }
  | { kind: 'detail'; detail: FeedDetail; counts: SeriesCounts[] }
  | { kind: 'rows'; feed: string; rows: TimelineRow[]; asActivity: boolean }
  | { kind: 'follow'; feed: string; after: number; pin: boolean }
  | { kind: 'unpin'; feed: string }
  | { kind: 'command'; command: Command; at: number }
  | { kind: 'command state'; id: string; state: PendingState; reason: string | null }
  | { kind: 'accepted'; id: string; version: number }
  | { kind: 'discard'; id: string }
  | { kind: 'watch sources' }
  | { kind: 'sources'; sources: SourceView[] };

export interface Step {
  state: LiveState;
  asks: ClientFrame[];
}

/** Decide what an input changes, and what is to be asked of the server because of it. */
export function step(state: LiveState, input: Input): Step {
  switch (input.kind) {
    case 'frame':
      return onFrame(state, input.frame);
    case 'opened':
      return {
        state,
        asks: [
          // First, so that what is read when the answer to `home` comes lacks nothing.
          ...(state.watchesSources ? [{ t: 'sources' } as const] : []),
          { t: 'home' },
          ...state.followed.map(
            (feed): ClientFrame => ({ t: 'sub', feed, after: state.feeds[feed]?.last ?? 0 }),
          ),
        ],
      };
    case 'cards':
      return only(onCards(state, input.cards, input.counts, input.sort));
    case 'arrange':
      return only(arrange(state, input.sort));
    case 'top':
      return only(onTop(state, input.atTop));
    case 'detail':
      return onDetail(state, input.detail, input.counts);
    case 'rows':
      return only(onRows(state, input.feed, input.rows, input.asActivity));
    case 'follow':
      return follow(state, input.feed, input.after, input.pin);
    case 'unpin':
      return only(state.pinned === input.feed ? { ...state, pinned: null } : state);
    case 'command':
      return only(withPending(state, input.command, input.at));
    case 'command state':
      return only(onCommandState(state, input.id, input.state, input.reason));
    case 'accepted':
      return only(onAccepted(state, input.id, input.version));
    case 'discard':
      return only(withoutPending(state, input.id));
    case 'watch sources':
      return { state: { ...state, watchesSources: true }, asks: [{ t: 'sources' }, { t: 'home' }] };
    case 'sources':
      return only(onSources(state, input.sources));
  }
}

const only = (state: LiveState): Step => ({ state, asks: [] });

function onFrame(state: LiveState, frame: ServerFrame): Step {
  switch (frame.t) {
    case 'home':
      return only(state);
    case 'card':
      return onCard(state, frame.card);
    case 'ev':
      return onEvent(state, frame.feed, frame.seq, frame.event);
    case 'snap':
      return only(onSnapshot(state, frame.feed, frame.version, frame.detail));
    case 'head': {
      const last = state.feeds[frame.feed]?.last;
      // An event got lost on the way, or the server still holds it back: asking again is harmless.
      return last !== undefined && state.followed.includes(frame.feed) && frame.version > last
        ? { state, asks: [{ t: 'sub', feed: frame.feed, after: last }] }
        : only(state);
    }
    case 'progress':
      return only({ ...state, counts: mergeCounts(state.counts, frame) });
    case 'job':
      return only({
        ...state,
        jobs: { ...state.jobs, [frame.job]: { fraction: frame.fraction, step: frame.step } },
      });
    case 'source':
      return only(withSources(state, state.sources, [frame.source]));
    case 'reply':
      if (!state.pending[frame.command]) return only(state);
      return only(
        frame.accepted
          ? onAccepted(state, frame.command, frame.version ?? 0)
          : onCommandState(state, frame.command, 'rejected', frame.reason ?? ''),
      );
    case 'bye':
      return only(
        frame.feed ? { ...state, followed: state.followed.filter((feed) => feed !== frame.feed) } : state,
      );
  }
}

function onEvent(state: LiveState, feed: string, seq: number, event: FeedEvent): Step {
  const known = state.feeds[feed];
  if (!known || !state.followed.includes(feed) || seq <= known.last) return only(state);
  if (seq > known.last + 1) return { state, asks: [{ t: 'sub', feed, after: known.last }] };
  const row = rowOf(event, seq);
  const detail =
    known.detail && seq === known.detail.card.version + 1 ? apply(known.detail, event, seq) : known.detail;
  const next: FeedState = {
    ...known,
    last: seq,
    detail,
    rows: row && !known.rows[seq] ? { ...known.rows, [seq]: row } : known.rows,
  };
  let after: LiveState = { ...state, feeds: { ...state.feeds, [feed]: next } };
  if (row) after = { ...after, activity: withActivity(after.activity, [{ feed, row }]) };
  if (event.causationid && after.pending[event.causationid]) {
    after = withoutPending(after, event.causationid);
  }
  return only(after);
}

function onSnapshot(state: LiveState, feed: string, version: number, detail: FeedDetail): LiveState {
  const known = state.feeds[feed];
  const next: FeedState = {
    last: version,
    detail,
    rows: {},
    generation: (known?.generation ?? 0) + 1,
  };
  const posted = new Set(detail.comments.map((one) => one.comment));
  const pending = Object.fromEntries(
    Object.entries(state.pending).filter(
      ([, { command }]) =>
        !(command.feed === feed && command.type === 'post_comment' && posted.has(command.body.comment)),
    ),
  );
  return { ...state, pending, feeds: { ...state.feeds, [feed]: next } };
}

function onCard(state: LiveState, card: Card): Step {
  const before = state.cards[card.feed];
  if (before && before.version > card.version) return only(state);
  let next: LiveState = { ...state, cards: { ...state.cards, [card.feed]: card } };
  if (!before && state.order) {
    next = state.atTop
      ? { ...next, order: [card.feed, ...state.order] }
      : { ...next, unseen: [card.feed, ...state.unseen] };
  }
  if (state.followed.includes(card.feed)) return only(next);
  const after = Math.max(before?.version ?? 0, card.version - FIRST_LOOK);
  return follow(next, card.feed, after, false);
}

function onCards(state: LiveState, cards: Card[], counts: SeriesCounts[], sort: Sort): LiveState {
  const merged: Record<string, Card> = {};
  for (const card of cards) {
    const before = state.cards[card.feed];
    merged[card.feed] = before && before.version > card.version ? before : card;
  }
  // A card that came by the socket while the list was on its way is not in the list.
  for (const [feed, card] of Object.entries(state.cards)) merged[feed] ??= card;
  let known = state.counts;
  for (const one of counts) known = mergeCounts(known, one);
  const next: LiveState = { ...state, cards: merged, counts: known };
  if (!state.order) return arrange(next, sort);
  const shown = new Set([...state.order, ...state.unseen]);
  const fresh = sorted(Object.values(merged), 'created')
    .map((card) => card.feed)
    .filter((feed) => !shown.has(feed));
  if (!fresh.length) return next;
  return state.atTop
    ? { ...next, order: [...fresh, ...state.order] }
    : { ...next, unseen: [...fresh, ...state.unseen] };
}

function arrange(state: LiveState, sort: Sort): LiveState {
  return { ...state, unseen: [], order: sorted(Object.values(state.cards), sort).map((card) => card.feed) };
}

function onTop(state: LiveState, atTop: boolean): LiveState {
  if (atTop === state.atTop) return state;
  if (!atTop || !state.order) return { ...state, atTop };
  return { ...state, atTop, order: [...state.unseen, ...state.order], unseen: [] };
}

function sorted(cards: Card[], sort: Sort): Card[] {
  const by: Record<Sort, (a: Card, b: Card) => number> = {
    activity: (a, b) => b.updated.localeCompare(a.updated),
    created: (a, b) => b.created.localeCompare(a.created),
    title: (a, b) => a.title.localeCompare(b.title, undefined, { numeric: true, sensitivity: 'base' }),
  };
  return cards.toSorted((a, b) => by[sort](a, b) || a.feed.localeCompare(b.feed));
}

function onDetail(state: LiveState, detail: FeedDetail, counts: SeriesCounts[]): Step {
  const feed = detail.card.feed;
  const version = detail.card.version;
  const known = state.feeds[feed];
  let merged = state.counts;
  for (const one of counts) merged = mergeCounts(merged, one);
  const newer = known?.detail && known.detail.card.version > version ? known.detail : detail;
  const base: LiveState = { ...state, counts: merged };
  if (!known || !state.followed.includes(feed)) {
    const fresh: FeedState = {
      last: version,
      detail,
      rows: known?.rows ?? {},
      generation: known?.generation ?? 0,
    };
    return follow({ ...base, feeds: { ...state.feeds, [feed]: fresh } }, feed, version, true);
  }
  const feeds = { ...state.feeds, [feed]: { ...known, detail: newer } };
  // The view lags behind what the subscription has brought: hear the difference again, so that the
  // detail catches up. Rows that are there already stay.
  if (newer.card.version < known.last) {
    feeds[feed] = { ...known, detail: newer, last: newer.card.version };
    return {
      state: { ...base, feeds, pinned: feed },
      asks: [{ t: 'sub', feed, after: newer.card.version }],
    };
  }
  return only({ ...base, feeds, pinned: feed });
}

function onRows(state: LiveState, feed: string, rows: TimelineRow[], asActivity: boolean): LiveState {
  const known = state.feeds[feed] ?? { last: 0, detail: null, rows: {}, generation: 0 };
  const merged = { ...known.rows };
  for (const row of rows) merged[row.seq] = row;
  const next = { ...state, feeds: { ...state.feeds, [feed]: { ...known, rows: merged } } };
  return asActivity
    ? {
        ...next,
        activity: withActivity(
          state.activity,
          rows.map((row) => ({ feed, row })),
        ),
      }
    : next;
}

function follow(state: LiveState, feed: string, after: number, pin: boolean): Step {
  const pinned = pin ? feed : state.pinned;
  if (state.followed.includes(feed)) {
    return only({ ...state, pinned, followed: [...state.followed.filter((one) => one !== feed), feed] });
  }
  const asks: ClientFrame[] = [];
  let followed = [...state.followed, feed];
  if (followed.length > MAX_FOLLOWED) {
    const leaving = followed.find((one) => one !== pinned && one !== feed);
    if (leaving) {
      followed = followed.filter((one) => one !== leaving);
      asks.push({ t: 'unsub', feed: leaving });
    }
  }
  const known = state.feeds[feed] ?? { last: after, detail: null, rows: {}, generation: 0 };
  asks.push({ t: 'sub', feed, after });
  return {
    state: { ...state, pinned, followed, feeds: { ...state.feeds, [feed]: { ...known, last: after } } },
    asks,
  };
}

/** Take the list in: it is all there is, but for what the socket told meanwhile. */
function onSources(state: LiveState, sources: SourceView[]): LiveState {
  const names = new Set(sources.map((one) => one.source));
  const newest = Math.max(0, ...sources.map((one) => one.version));
  const kept = Object.entries(state.sources).filter(([name, one]) => names.has(name) || one.version > newest);
  return { ...withSources(state, Object.fromEntries(kept), sources), sourcesRead: true };
}

function withSources(state: LiveState, before: LiveState['sources'], told: SourceView[]): LiveState {
  const newer = told.filter((one) => one.version >= (before[one.source]?.version ?? 0));
  return { ...state, sources: { ...before, ...Object.fromEntries(newer.map((one) => [one.source, one])) } };
}

function withActivity(before: readonly ActivityItem[], items: ActivityItem[]): readonly ActivityItem[] {
  const seen = new Set(before.map((item) => item.row.event));
  const fresh = items.filter((item) => !seen.has(item.row.event));
  if (!fresh.length) return before;
  return [...before, ...fresh]
    .sort((a, b) => b.row.time.localeCompare(a.row.time) || b.row.seq - a.row.seq)
    .slice(0, MAX_ACTIVITY);
}

function mergeCounts(
  counts: LiveState['counts'],
  told: {
    series: string;
    stored?: number | null;
    anonymized?: number | null;
    quarantined?: number | null;
  },
): LiveState['counts'] {
  const before = counts[told.series] ?? { series: told.series, stored: 0, anonymized: 0, quarantined: 0 };
  // Each count is the size of a set that only grows, so an older message can't take anything back.
  const next: SeriesCounts = {
    series: told.series,
    stored: Math.max(before.stored, told.stored ?? 0),
    anonymized: Math.max(before.anonymized, told.anonymized ?? 0),
    quarantined: Math.max(before.quarantined, told.quarantined ?? 0),
  };
  return { ...counts, [told.series]: next };
}

function withPending(state: LiveState, command: Command, at: number): LiveState {
  const before = state.pending[command.id];
  return {
    ...state,
    pending: {
      ...state.pending,
      [command.id]: {
        command,
        at: before?.at ?? at,
        state: 'sending',
        attempts: (before?.attempts ?? 0) + 1,
        reason: null,
      },
    },
  };
}

function onCommandState(state: LiveState, id: string, to: PendingState, reason: string | null): LiveState {
  const before = state.pending[id];
  if (!before) return state;
  return { ...state, pending: { ...state.pending, [id]: { ...before, state: to, reason } } };
}

function onAccepted(state: LiveState, id: string, version: number): LiveState {
  const before = state.pending[id];
  if (!before) return state;
  const last = state.feeds[before.command.feed]?.last ?? 0;
  const followed = state.followed.includes(before.command.feed);
  // Its event is here already, or will not come this way: nothing is left to wait for.
  if (!followed || last >= version) return withoutPending(state, id);
  return onCommandState(state, id, 'undecided', null);
}

function withoutPending(state: LiveState, id: string): LiveState {
  const { [id]: gone, ...pending } = state.pending;
  return gone ? { ...state, pending } : state;
}
