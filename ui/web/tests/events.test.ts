import { describe, expect, it } from 'vitest';
import { apply, nameOf, rowOf } from '../src/domain/events';
import { comment, detail, event } from './make';

describe('rows', () => {
  it('tells who, what and where', () => {
    expect(rowOf(comment('c1', 'Look.'), 4)).toMatchObject({
      seq: 4,
      kind: 'comment',
      system: false,
      actor: 'ana',
      comment: 'c1',
      text: 'Look.',
    });
  });

  it('tells the system from people by the kind of account, not by its id', () => {
    const made = rowOf(event('created', { title: 'x' }, { authtype: 'service_account', authid: 'svc' }), 1);
    expect(made).toMatchObject({ system: true });
    expect(made).not.toHaveProperty('actor');
  });

  it('tells an attempt that is tried again from the end of a run', () => {
    const failed = (final: boolean) =>
      rowOf(event('run.failed', { job: 'j', attempt: 1, cause: 'x', final }), 1)?.state;
    expect(failed(false)).toBe('retrying');
    expect(failed(true)).toBe('failed');
  });

  it('leaves out what it does not know', () => {
    expect(rowOf(event('shared', {}), 1)).toBeNull();
    expect(nameOf('chips.feed.run.started.v1')).toBe('run.started');
  });
});

describe('detail', () => {
  it('changes title and tags', () => {
    let now = detail(1);
    now = apply(now, event('renamed', { title: 'New' }), 2);
    now = apply(now, event('tagged', { tag: 'a' }), 3);
    now = apply(now, event('tagged', { tag: 'a' }), 4);
    expect(now.card).toMatchObject({ title: 'New', tags: ['a'], version: 4 });
    expect(apply(now, event('untagged', { tag: 'a' }), 5).card.tags).toEqual([]);
  });

  it('changes a comment and says so', () => {
    let now = apply(detail(1), comment('c', 'one'), 2);
    now = apply(now, event('comment.edited', { comment: 'c', text: 'two' }), 3);
    expect(now.comments).toMatchObject([{ text: 'two', edited: '2026-03-01T10:05:00Z' }]);
  });

  it('shows no word of a text that is withheld, and shows it again when it can be read', () => {
    const gone = event('comment.edited', { comment: 'c', text: null, withheld: 'erased' });
    let now = apply(apply(detail(1), comment('c', 'one'), 2), gone, 3);
    expect(now.comments).toMatchObject([{ text: null, withheld: 'erased' }]);
    expect(rowOf(gone, 3)).toMatchObject({ text: null, withheld: 'erased' });
    now = apply(now, event('comment.edited', { comment: 'c', text: 'two' }), 4);
    expect(now.comments[0]?.withheld).toBeUndefined();
  });

  it('keeps a result whatever is reported after it', () => {
    let now = apply(detail(1), event('series.receiving', { study: 'x', series: 's', modality: 'MR' }), 2);
    now = apply(now, event('run.queued', { job: 'j', series: 's', version: 1, plugin: 'p' }), 3);
    now = apply(
      now,
      event('run.succeeded', {
        job: 'j',
        outcome: 'not_a_volume',
        artefacts: [],
        measures: [],
        findings: [],
        seconds: 1,
      }),
      4,
    );
    now = apply(now, event('run.failed', { job: 'j', attempt: 1, cause: 'late', final: true }), 5);
    expect(now.series[0]?.run).toMatchObject({ state: 'succeeded', outcome: 'not_a_volume' });
  });

  it('does not let a run on an older version displace the newer one', () => {
    let now = apply(detail(1), event('series.receiving', { study: 'x', series: 's', modality: 'MR' }), 2);
    now = apply(now, event('run.queued', { job: 'new', series: 's', version: 2, plugin: 'p' }), 3);
    now = apply(now, event('run.queued', { job: 'old', series: 's', version: 1, plugin: 'p' }), 4);
    expect(now.series[0]?.run?.job).toBe('new');
  });

  it('changes nothing but the version for an event that it does not know', () => {
    const before = detail(1);
    const after = apply(before, event('shared', { with: 'x' }), 2);
    expect(after).toEqual({
      ...before,
      card: { ...before.card, version: 2, updated: '2026-03-01T10:05:00Z' },
    });
  });
});
