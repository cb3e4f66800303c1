import type { Card, Command, FeedDetail, SeriesCounts, SourceView, TimelineRow } from '../api/types';

/** A feed as this tab knows it. */
export interface FeedState {
  /** The last sequence that the subscription brought; the next must be one more. */
  last: number;
  detail: FeedDetail | null;
  /** Timeline rows by sequence. */
  rows: Readonly<Record<number, TimelineRow>>;
  /** Grows when the server sent a snapshot, so that rows were dropped and are to be read again. */
  generation: number;
}

export type PendingState = 'sending' | 'undecided' | 'waiting' | 'rejected';

/** A command of this tab whose event has not come back yet. */
export interface Pending {
  command: Command;
  /** Unix time, ms. */
  at: number;
  state: PendingState;
  attempts: number;
  reason: string | null;
}

export interface ActivityItem {
  feed: string;
  row: TimelineRow;
}

export type Sort = 'activity' | 'created' | 'title';

export interface LiveState {
  /** Null until the first list of cards is there. */
  order: readonly string[] | null;
  cards: Readonly<Record<string, Card>>;
  /** New cards that wait behind the pill, the newest first. */
  unseen: readonly string[];
  /** The reader looks at the top of the list, so that a new card may appear there. */
  atTop: boolean;
  counts: Readonly<Record<string, SeriesCounts>>;
  /** By job. */
  jobs: Readonly<Record<string, { fraction: number; step: string }>>;
  feeds: Readonly<Record<string, FeedState>>;
  /** Followed feeds, the one that was touched last at the end. */
  followed: readonly string[];
  /** The feed whose page is open; it is followed as long as it is. */
  pinned: string | null;
  activity: readonly ActivityItem[];
  pending: Readonly<Record<string, Pending>>;
  /** By name; whole when `sourcesRead`. */
  sources: Readonly<Record<string, SourceView>>;
  sourcesRead: boolean;
  /** A page of this tab has shown the sources, so that it hears of them. */
  watchesSources: boolean;
}

export const EMPTY: LiveState = {
  order: null,
  cards: {},
  unseen: [],
  atTop: true,
  counts: {},
  jobs: {},
  feeds: {},
  followed: [],
  pinned: null,
  activity: [],
  pending: {},
  sources: {},
  sourcesRead: false,
  watchesSources: false,
};

/** Feeds that a tab follows at once; the server allows 16. */
export const MAX_FOLLOWED = 12;
/** Entries of the activity column. */
export const MAX_ACTIVITY = 60;
/** Events of a feed, seen on the home page for the first time, that are worth telling. */
export const FIRST_LOOK = 12;
