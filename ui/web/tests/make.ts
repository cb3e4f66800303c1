import type { Card, FeedDetail, FeedEvent, TimelineRow } from '../src/api/types';

export const FEED = '0190aaaa-0000-7000-8000-000000000001';

export function card(change: Partial<Card> = {}): Card {
  return {
    project: 'demo',
    feed: FEED,
    version: 1,
    title: 'Phantom',
    tags: [],
    state: 'receiving',
    created: '2026-03-01T10:00:00Z',
    updated: '2026-03-01T10:00:00Z',
    patients: [],
    studies: 1,
    series: ['s1'],
    modalities: ['MR'],
    attributes: {},
    anonymized: 0,
    quarantined: 0,
    conflicts: 0,
    measured: 0,
    not_volumes: 0,
    failed: 0,
    comments: 0,
    people: [],
    pictures: [],
    steps: ['receiving'],
    ...change,
  };
}

export function detail(version: number, change: Partial<FeedDetail> = {}): FeedDetail {
  return { card: card({ version }), inputs: [], series: [], comments: [], ...change };
}

export function event(
  name: string,
  data: Record<string, unknown>,
  change: Partial<FeedEvent> = {},
): FeedEvent {
  return {
    id: `event of ${name} ${JSON.stringify(data)}`,
    type: `chips.feed.${name}.v1`,
    time: '2026-03-01T10:05:00Z',
    data,
    authtype: 'system',
    ...change,
  };
}

export function comment(id: string, text: string, change: Partial<FeedEvent> = {}): FeedEvent {
  return event('comment.posted', { comment: id, text }, { authtype: 'app_user', authid: 'ana', ...change });
}

export function row(seq: number, change: Partial<TimelineRow> = {}): TimelineRow {
  return {
    seq,
    event: `e${seq}`,
    type: 'chips.feed.run.started.v1',
    kind: 'run',
    time: `2026-03-01T10:00:${String(seq).padStart(2, '0')}Z`,
    system: true,
    ...change,
  };
}
