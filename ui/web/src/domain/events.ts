// What an event of a feed does to the page's copy of it. Pure; the server's projections do the same from
// the same events, so a reload changes nothing.

import type {
  Artefact,
  Completeness,
  FeedDetail,
  FeedEvent,
  Finding,
  Measure,
  ReasonCount,
  RunView,
  SeriesAttributes,
  SeriesView,
  TimelineKind,
  TimelineRow,
  Withheld,
} from '../api/types';

const KINDS: Record<string, TimelineKind> = {
  created: 'created',
  renamed: 'renamed',
  tagged: 'tagged',
  untagged: 'untagged',
  'input.added': 'input',
  'series.receiving': 'series',
  'series.anonymized': 'series',
  'run.queued': 'run',
  'run.started': 'run',
  'run.succeeded': 'run',
  'run.failed': 'run',
  'comment.posted': 'comment',
  'comment.edited': 'edit',
};

/** The part of an event type that names it: `run.started` of `chips.feed.run.started.v1`. */
export function nameOf(type: string): string {
  return type.replace(/^chips\.feed\./, '').replace(/\.v\d+$/, '');
}

/** Tell an event as a timeline row; null for a type that this version of the page does not know. */
export function rowOf(event: FeedEvent, seq: number): TimelineRow | null {
  const name = nameOf(event.type);
  const kind = KINDS[name];
  if (!kind) return null;
  const data = event.data;
  const row: TimelineRow = {
    seq,
    event: event.id,
    type: event.type,
    kind,
    time: event.time,
    system: event.authtype !== 'app_user',
  };
  if (event.authtype === 'app_user' && event.authid) row.actor = event.authid;
  const series = textOf(data.series);
  const job = textOf(data.job);
  const comment = textOf(data.comment);
  if (series) row.series = series;
  if (job) row.job = job;
  if (comment) row.comment = comment;
  Object.assign(row, TOLD[name]?.(data));
  return row;
}

const count = (data: FeedEvent['data'], ...names: string[]): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, numberOf(data[name])]));

type Told = Pick<TimelineRow, 'text' | 'withheld' | 'state' | 'counts' | 'grade'>;

/** What a row says beside ids; the same as `streams/projections/timeline.py` says. */
const TOLD: Record<string, (data: FeedEvent['data']) => Told> = {
  created: (data) => ({ text: String(data.title) }),
  renamed: (data) => ({ text: String(data.title) }),
  tagged: (data) => ({ text: String(data.tag) }),
  untagged: (data) => ({ text: String(data.tag) }),
  'input.added': (data) => ({ text: String(data.study) }),
  'comment.posted': words,
  'comment.edited': words,
  'series.receiving': (data) => ({ state: 'receiving', text: String(data.modality) }),
  'series.anonymized': version,
  'run.queued': (data) => ({ state: 'queued', text: String(data.plugin), counts: count(data, 'version') }),
  'run.started': (data) => ({
    state: 'running',
    text: String(data.isolation),
    counts: count(data, 'attempt'),
  }),
  'run.succeeded': (data) => ({
    state: 'succeeded',
    text: String(data.outcome),
    counts: { findings: Array.isArray(data.findings) ? data.findings.length : 0 },
  }),
  'run.failed': (data) => ({
    state: data.final === true ? 'failed' : 'retrying',
    text: String(data.cause ?? ''),
    counts: count(data, 'attempt'),
  }),
};

function version(data: FeedEvent['data']): Told {
  const whole = data.completeness as Completeness | null | undefined;
  const counts = count(data, 'version', 'anonymized', 'quarantined', 'conflicts');
  if (whole) counts.missing = whole.missing ?? 0;
  if (Array.isArray(data.outdated) && data.outdated.length) counts.outdated = data.outdated.length;
  return {
    state: numberOf(data.grading) ? 'graded' : 'anonymized',
    text: String(data.modality),
    counts,
    ...(whole ? { grade: whole.grade } : {}),
  };
}

/** Apply an event that follows directly on `detail`. Cards come from the server whole, so only what a
 * person is waiting for on the page (title, tags, comments, series and their runs) changes here. */
export function apply(detail: FeedDetail, event: FeedEvent, seq: number): FeedDetail {
  const card = { ...detail.card, version: seq, updated: event.time };
  const next: FeedDetail = { ...detail, card };
  const data = event.data;
  switch (nameOf(event.type)) {
    case 'renamed':
      card.title = String(data.title);
      return next;
    case 'tagged':
      card.tags = [...card.tags.filter((tag) => tag !== data.tag), String(data.tag)];
      return next;
    case 'untagged':
      card.tags = card.tags.filter((tag) => tag !== data.tag);
      return next;
    case 'input.added':
      next.inputs = [
        ...detail.inputs.filter((input) => input.study !== data.study),
        { study: String(data.study), patient: String(data.patient) },
      ];
      return next;
    case 'series.receiving':
      next.series = receive(detail.series, data);
      return next;
    case 'series.anonymized':
      next.series = anonymize(detail.series, data);
      return next;
    case 'run.queued':
      // A run on an older version of the series does not displace the newer one.
      next.series = detail.series.map((one) =>
        one.series === data.series && (one.run?.version ?? 0) <= numberOf(data.version)
          ? { ...one, run: one.run?.job === data.job ? one.run : queued(data) }
          : one,
      );
      return next;
    case 'run.started':
    case 'run.succeeded':
    case 'run.failed':
      next.series = detail.series.map((one) =>
        one.run && one.run.job === data.job ? { ...one, run: advance(one.run, event) } : one,
      );
      return next;
    case 'comment.posted':
      next.comments = [
        ...detail.comments.filter((one) => one.comment !== data.comment),
        {
          comment: String(data.comment),
          author: event.authid ?? '',
          posted: event.time,
          ...words(data),
          edited: null,
        },
      ];
      return next;
    case 'comment.edited':
      next.comments = detail.comments.map((one) =>
        one.comment === data.comment ? { ...one, ...words(data), edited: event.time } : one,
      );
      return next;
    default:
      return next;
  }
}

function receive(series: SeriesView[], data: FeedEvent['data']): SeriesView[] {
  if (series.some((one) => one.series === data.series)) return series;
  return [
    ...series,
    {
      study: String(data.study),
      series: String(data.series),
      modality: String(data.modality),
      version: 0,
      anonymized: 0,
      quarantined: 0,
      conflicts: 0,
      attributes: {},
      reasons: [],
      run: null,
    },
  ].sort((a, b) => (a.series < b.series ? -1 : 1));
}

function anonymize(series: SeriesView[], data: FeedEvent['data']): SeriesView[] {
  return receive(series, data).map((one) => {
    if (one.series !== data.series) return one;
    const { completeness: _before, since: _since, ...rest } = one;
    return {
      ...rest,
      version: numberOf(data.version),
      anonymized: numberOf(data.anonymized),
      quarantined: numberOf(data.quarantined),
      conflicts: numberOf(data.conflicts),
      attributes: (data.attributes ?? {}) as SeriesAttributes,
      reasons: (data.reasons ?? []) as ReasonCount[],
      ...(data.completeness ? { completeness: data.completeness as Completeness } : {}),
      ...(numberOf(data.since) > 1 ? { since: numberOf(data.since) } : {}),
    };
  });
}

function queued(data: FeedEvent['data']): RunView {
  return {
    job: String(data.job),
    plugin: String(data.plugin),
    state: 'queued',
    version: numberOf(data.version),
    attempt: 0,
    isolation: null,
    outcome: null,
    cause: null,
    seconds: null,
    artefacts: [],
    measures: [],
    findings: [],
  };
}

function advance(run: RunView, event: FeedEvent): RunView {
  const data = event.data;
  // A result stands, whatever else is reported.
  if (run.state === 'succeeded') return run;
  switch (nameOf(event.type)) {
    case 'run.started':
      return {
        ...run,
        state: 'running',
        attempt: numberOf(data.attempt),
        isolation: data.isolation === 'docker' ? 'docker' : 'subprocess',
      };
    case 'run.succeeded':
      return {
        ...run,
        state: 'succeeded',
        outcome: data.outcome === 'measured' ? 'measured' : 'not_a_volume',
        cause: null,
        seconds: numberOf(data.seconds),
        artefacts: (data.artefacts ?? []) as Artefact[],
        measures: (data.measures ?? []) as Measure[],
        findings: (data.findings ?? []) as Finding[],
      };
    default:
      return {
        ...run,
        state: data.final === true ? 'failed' : 'queued',
        attempt: numberOf(data.attempt),
        cause: String(data.cause ?? ''),
      };
  }
}

/** A person's words, or why they are withheld. */
function words(data: FeedEvent['data']): { text: string | null; withheld: Withheld | undefined } {
  if (typeof data.text === 'string') return { text: data.text, withheld: undefined };
  return { text: null, withheld: data.withheld === 'erased' ? 'erased' : 'unreadable' };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value ? value : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
