import { describe, expect, it } from 'vitest';
import type { Command, ServerFrame } from '../src/api/types';
import { EMPTY, type LiveState, MAX_ACTIVITY, MAX_FOLLOWED } from '../src/live/state';
import { type Input, type Step, step } from '../src/live/step';
import { card, comment, detail, event, FEED, row } from './make';

function run(inputs: Input[], from: LiveState = EMPTY): Step {
  let now: Step = { state: from, asks: [] };
  for (const input of inputs) now = step(now.state, input);
  return now;
}

const frame = (given: ServerFrame): Input => ({ kind: 'frame', frame: given });
const ev = (seq: number, text = `comment ${seq}`, causationid?: string): Input =>
  frame({
    t: 'ev',
    feed: FEED,
    seq,
    event: comment(`c${seq}`, text, causationid ? { causationid } : {}),
  });
const following = (version: number): LiveState =>
  run([{ kind: 'detail', detail: detail(version), counts: [] }]).state;
const texts = (state: LiveState) => state.feeds[FEED]?.detail?.comments.map((one) => one.text);

describe('events of a feed', () => {
  it('follows a feed from the version of its detail', () => {
    const { state, asks } = run([{ kind: 'detail', detail: detail(7), counts: [] }]);
    expect(asks).toEqual([{ t: 'sub', feed: FEED, after: 7 }]);
    expect(state.pinned).toBe(FEED);
  });

  it('applies what follows directly', () => {
    const { state, asks } = run([ev(8), ev(9)], following(7));
    expect(texts(state)).toEqual(['comment 8', 'comment 9']);
    expect(state.feeds[FEED]?.last).toBe(9);
    expect(state.feeds[FEED]?.detail?.card.version).toBe(9);
    expect(asks).toEqual([]);
  });

  it('drops a repeat', () => {
    const before = run([ev(8)], following(7)).state;
    const after = run([ev(8, 'another wording'), ev(7)], before).state;
    expect(after).toBe(before);
  });

  it('asks again after the last one when one is missing, and applies nothing until it came', () => {
    const before = run([ev(8)], following(7)).state;
    const { state, asks } = run([ev(10)], before);
    expect(asks).toEqual([{ t: 'sub', feed: FEED, after: 8 }]);
    expect(state).toBe(before);
    expect(texts(run([ev(9), ev(10)], state).state)).toEqual(['comment 8', 'comment 9', 'comment 10']);
  });

  it('ends in the same state whatever the order and however often events come', () => {
    const straight = run([ev(8), ev(9), ev(10)], following(7)).state;
    const odd = run([ev(9), ev(8), ev(10), ev(9), ev(8), ev(9), ev(10)], following(7)).state;
    expect(odd.feeds).toEqual(straight.feeds);
  });

  it('asks for every followed feed after its last event when the socket opens', () => {
    const { asks } = run([ev(8), { kind: 'opened' }], following(7));
    expect(asks).toEqual([{ t: 'home' }, { t: 'sub', feed: FEED, after: 8 }]);
  });

  it('asks again when the head is further than what came', () => {
    const state = following(7);
    expect(run([frame({ t: 'head', feed: FEED, version: 7 })], state).asks).toEqual([]);
    expect(run([frame({ t: 'head', feed: FEED, version: 9 })], state).asks).toEqual([
      { t: 'sub', feed: FEED, after: 7 },
    ]);
  });

  it('takes a snapshot as it is, drops rows that may have holes, and goes on after it', () => {
    const before = run(
      [ev(8), { kind: 'rows', feed: FEED, rows: [row(3)], asActivity: false }],
      following(7),
    ).state;
    const snap = run([frame({ t: 'snap', feed: FEED, version: 900, detail: detail(900) })], before).state;
    expect(snap.feeds[FEED]).toMatchObject({ last: 900, rows: {}, generation: 1 });
    expect(run([ev(901)], snap).state.feeds[FEED]?.last).toBe(901);
  });

  it('hears the difference again when the view lags behind the events', () => {
    const ahead = run([ev(8), ev(9)], following(7)).state;
    const stale: LiveState = {
      ...ahead,
      feeds: { [FEED]: { last: 9, detail: null, rows: {}, generation: 0 } },
    };
    const { state, asks } = run([{ kind: 'detail', detail: detail(8), counts: [] }], stale);
    expect(asks).toEqual([{ t: 'sub', feed: FEED, after: 8 }]);
    expect(texts(run([ev(9)], state).state)).toEqual(['comment 9']);
  });

  it('ignores events of feeds that it does not follow', () => {
    expect(run([ev(1)]).state).toBe(EMPTY);
  });

  it('follows a bounded number of feeds and keeps the one whose page is open', () => {
    let now = run([{ kind: 'detail', detail: detail(1), counts: [] }]);
    const asked: unknown[] = [];
    for (let n = 0; n < MAX_FOLLOWED + 3; n += 1) {
      now = step(now.state, { kind: 'follow', feed: `feed ${n}`, after: 0, pin: false });
      asked.push(...now.asks);
    }
    expect(now.state.followed).toHaveLength(MAX_FOLLOWED);
    expect(now.state.followed).toContain(FEED);
    expect(asked).toContainEqual({ t: 'unsub', feed: 'feed 0' });
  });

  it('keeps the activity bounded, newest first, each event once', () => {
    const rows = Array.from({ length: MAX_ACTIVITY + 5 }, (_, n) =>
      row(n + 1, { time: new Date(Date.UTC(2026, 2, 1, 10, 0, n)).toISOString() }),
    );
    const input: Input = { kind: 'rows', feed: FEED, rows, asActivity: true };
    const { state } = run([input, input]);
    expect(state.activity).toHaveLength(MAX_ACTIVITY);
    expect(state.activity[0]?.row.seq).toBe(MAX_ACTIVITY + 5);
  });
});

describe('cards', () => {
  const cards: Input = {
    kind: 'cards',
    cards: [card(), card({ feed: 'b', updated: '2026-03-01T11:00:00Z' })],
    counts: [],
    sort: 'activity',
  };
  const fresh = card({ feed: 'c' });

  it('puts the latest activity first', () => {
    expect(run([cards]).state.order).toEqual(['b', FEED]);
  });

  it('shows a new card at once while the reader is at the top', () => {
    const { state } = run([cards, frame({ t: 'card', card: fresh })]);
    expect(state.order).toEqual(['c', 'b', FEED]);
    expect(state.unseen).toEqual([]);
  });

  it('holds a new card back while the reader is elsewhere, and shows it at the top again', () => {
    const away = run([cards, { kind: 'top', atTop: false }, frame({ t: 'card', card: fresh })]).state;
    expect(away.order).toEqual(['b', FEED]);
    expect(away.unseen).toEqual(['c']);
    expect(run([{ kind: 'top', atTop: true }], away).state.order).toEqual(['c', 'b', FEED]);
    expect(run([{ kind: 'arrange', sort: 'activity' }], away).state.unseen).toEqual([]);
  });

  it('does not move a card that changes', () => {
    const changed = card({ version: 2, updated: '2026-03-01T12:00:00Z', state: 'done' });
    const { state } = run([cards, frame({ t: 'card', card: changed })]);
    expect(state.order).toEqual(['b', FEED]);
    expect(state.cards[FEED]?.state).toBe('done');
  });

  it('never goes back to an older version, by socket or by list', () => {
    const newer = frame({ t: 'card', card: card({ version: 5, title: 'new' }) });
    const older = frame({ t: 'card', card: card({ version: 4, title: 'old' }) });
    expect(run([cards, newer, older, cards]).state.cards[FEED]?.title).toBe('new');
  });

  it('keeps a card that came by the socket while the list was on its way', () => {
    const { state } = run([frame({ t: 'card', card: fresh }), cards]);
    expect(state.order).toContain('c');
  });

  it('finds, after a reconnect, the cards that were made meanwhile', () => {
    const again: Input = { kind: 'cards', cards: [fresh], counts: [], sort: 'activity' };
    expect(run([cards, again]).state.order).toEqual(['c', 'b', FEED]);
  });

  it('follows a new card from where its events can still be told', () => {
    expect(run([cards, frame({ t: 'card', card: card({ feed: 'c', version: 3 }) })]).asks).toEqual([
      { t: 'sub', feed: 'c', after: 0 },
    ]);
  });

  it('counts only grow', () => {
    const progress = (stored: number, anonymized?: number) =>
      frame({ t: 'progress', study: 'x', series: 's1', stored, ...(anonymized ? { anonymized } : {}) });
    const { state } = run([progress(5, 2), progress(6), progress(3)]);
    expect(state.counts.s1).toEqual({ series: 's1', stored: 6, anonymized: 2, quarantined: 0 });
  });
});

describe('own commands', () => {
  const command: Command = {
    id: 'k1',
    feed: FEED,
    type: 'post_comment',
    body: { comment: 'c8', text: 'hello' },
  };
  const sent: Input = { kind: 'command', command, at: 1 };

  it('shows a comment at once and replaces it by its own event', () => {
    const pending = run([sent], following(7)).state;
    expect(Object.keys(pending.pending)).toEqual(['k1']);
    const { state } = run([ev(8, 'hello', 'k1')], pending);
    expect(state.pending).toEqual({});
    expect(texts(state)).toEqual(['hello']);
  });

  it('is the same whether the event or the answer comes first', () => {
    const answer: Input = { kind: 'accepted', id: 'k1', version: 8 };
    const own = ev(8, 'hello', 'k1');
    const one = run([sent, answer, own], following(7)).state;
    const other = run([sent, own, answer], following(7)).state;
    expect(one).toEqual(other);
    expect(run([sent, answer], following(7)).state.pending.k1?.state).toBe('undecided');
  });

  it('is not doubled by a retry that repeats the event', () => {
    const { state } = run(
      [sent, ev(8, 'hello', 'k1'), sent, ev(8, 'hello', 'k1'), { kind: 'accepted', id: 'k1', version: 8 }],
      following(7),
    );
    expect(texts(state)).toEqual(['hello']);
    expect(state.pending).toEqual({});
  });

  it('says why it was refused, by answer or by reply', () => {
    const refused: Input = { kind: 'command state', id: 'k1', state: 'rejected', reason: 'Too late.' };
    expect(run([sent, refused], following(7)).state.pending.k1).toMatchObject({
      state: 'rejected',
      reason: 'Too late.',
    });
    const reply = frame({ t: 'reply', command: 'k1', accepted: false, reason: 'No.' });
    expect(run([sent, reply], following(7)).state.pending.k1).toMatchObject({
      state: 'rejected',
      reason: 'No.',
    });
  });

  it('counts its sendings and can be dropped', () => {
    const twice = run([sent, sent], following(7)).state;
    expect(twice.pending.k1?.attempts).toBe(2);
    expect(run([{ kind: 'discard', id: 'k1' }], twice).state.pending).toEqual({});
  });

  it('is settled by a snapshot that has its comment', () => {
    const snapshot = detail(50, {
      comments: [
        { comment: 'c8', author: 'ana', posted: '2026-03-01T10:00:00Z', text: 'hello', edited: null },
      ],
    });
    const { state } = run(
      [sent, frame({ t: 'snap', feed: FEED, version: 50, detail: snapshot })],
      following(7),
    );
    expect(state.pending).toEqual({});
  });

  it('ignores replies to commands of other tabs', () => {
    const state = following(7);
    expect(run([frame({ t: 'reply', command: 'x', accepted: false })], state).state).toBe(state);
  });
});

describe('runs', () => {
  it('shows the progress of a job', () => {
    const { state } = run([frame({ t: 'job', series: 's1', job: 'j', fraction: 0.5, step: 'Otsu' })]);
    expect(state.jobs.j).toEqual({ fraction: 0.5, step: 'Otsu' });
  });

  it('is told by events from the first image to the measure', () => {
    const steps: [string, Record<string, unknown>][] = [
      ['input.added', { study: 'x', patient: 'p' }],
      ['series.receiving', { study: 'x', series: 's1', modality: 'CT' }],
      [
        'series.anonymized',
        {
          study: 'x',
          series: 's1',
          modality: 'CT',
          version: 1,
          anonymized: 9,
          quarantined: 1,
          conflicts: 0,
          attributes: {},
          reasons: [],
        },
      ],
      ['run.queued', { job: 'j', series: 's1', version: 1, plugin: 'volumetry' }],
      ['run.started', { job: 'j', attempt: 1, isolation: 'docker' }],
      ['run.failed', { job: 'j', attempt: 1, cause: 'Killed', final: false }],
      ['run.started', { job: 'j', attempt: 2, isolation: 'docker' }],
      [
        'run.succeeded',
        {
          job: 'j',
          outcome: 'measured',
          artefacts: [],
          measures: [{ name: 'v', value: 1.5, unit: 'mL' }],
          findings: [],
          seconds: 3,
        },
      ],
    ];
    const inputs = steps.map(
      ([name, data], index): Input =>
        frame({ t: 'ev', feed: FEED, seq: 2 + index, event: event(name, data) }),
    );
    const { state } = run(inputs, following(1));
    const series = state.feeds[FEED]?.detail?.series;
    expect(series).toHaveLength(1);
    expect(series?.[0]).toMatchObject({
      version: 1,
      anonymized: 9,
      run: { state: 'succeeded', attempt: 2, cause: null, seconds: 3, measures: [{ value: 1.5 }] },
    });
    expect(Object.keys(state.feeds[FEED]?.rows ?? {})).toHaveLength(steps.length);
  });
});
