// What a signed-in tab does as long as it lives: keeps the socket, reads the cards, seeds the activity.

import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { getCards, getRows, getSources, meQuery, queryClient } from '../api/queries';
import type { Card, Me } from '../api/types';
import { keep, own, restore, resume } from './commands';
import { sortPreference } from './preferences';
import { LiveSocket } from './socket';
import { connect, forget, live, tell } from './store';

/** Feeds whose latest events fill the activity column at the start, and events of each. */
const SEED_FEEDS = 6;
const SEED_ROWS = 6;

interface SourcesReading {
  failed: boolean;
  /** How far the server's clock is ahead of this one, ms. */
  ahead: number;
}

const sourcesReading = createStore<SourcesReading>(() => ({ failed: false, ahead: 0 }));

/** Whether the sources could not be read, and the server's clock. */
export function useSourcesReading(): SourcesReading {
  return useStore(sourcesReading);
}

/** Read who sends; what the socket told meanwhile stays. */
export async function readSources(): Promise<void> {
  try {
    const { now, sources } = await getSources();
    tell({ kind: 'sources', sources });
    sourcesReading.setState({ failed: false, ahead: Date.parse(now) - Date.now() });
  } catch {
    sourcesReading.setState({ failed: true });
  }
}

interface Reading {
  failed: boolean;
  again: () => void;
  /** How many cards the list had when the server left older ones out; null when it is whole. */
  newest: number | null;
}

const reading = createStore<Reading>(() => ({ failed: false, again: () => undefined, newest: null }));

/** Whether the list of cards could not be read, how to try again, and whether it is whole. */
export function useCardsReading(): Reading {
  return useStore(reading);
}

/** Start living for an account; gives what ends it. */
export function startSession(me: Me): () => void {
  const ended = new AbortController();
  let seeded = false;

  const seed = async (cards: Card[]): Promise<void> => {
    const latest = cards.toSorted((a, b) => b.updated.localeCompare(a.updated)).slice(0, SEED_FEEDS);
    for (const card of latest.toReversed()) {
      const rows = await getRows(card.feed, SEED_ROWS, undefined, ended.signal);
      tell({ kind: 'rows', feed: card.feed, rows, asActivity: true });
      const newest = Math.max(card.version, ...rows.map((row) => row.seq));
      tell({ kind: 'follow', feed: card.feed, after: newest, pin: false });
    }
  };

  // Not through the query cache: a read that began before the subscription would be shared with the one
  // that must begin after it, and a card that appeared in between would be missed.
  const read = async (): Promise<void> => {
    try {
      const { cards, counts, more } = await getCards(ended.signal);
      tell({ kind: 'cards', cards, counts, sort: sortPreference() });
      reading.setState({ failed: false, newest: more ? cards.length : null });
      if (!seeded) {
        seeded = true;
        await seed(cards);
      }
    } catch {
      // Refused or unreachable: the page says so, and the next opened socket reads again.
      if (!ended.signal.aborted) reading.setState({ failed: true });
    }
  };

  const socket = new LiveSocket({
    onOpen: () => {
      tell({ kind: 'opened' });
      resume();
    },
    onFrame: (frame) => {
      tell({ kind: 'frame', frame });
      if (frame.t === 'home') void read();
      if (frame.t === 'home' && live.getState().watchesSources) void readSources();
      if (frame.t === 'ev' || frame.t === 'reply') keep();
    },
    onRefused: () => void queryClient.invalidateQueries({ queryKey: meQuery.queryKey }),
    expectsHeads: () => live.getState().followed.length > 0,
  });
  own(me.user.id);
  connect((frame) => socket.send(frame));
  reading.setState({ failed: false, again: () => void read(), newest: null });
  socket.start();
  void read();
  restore(me.user.id);
  return () => {
    ended.abort();
    socket.stop();
    connect(() => undefined);
    forget();
  };
}
