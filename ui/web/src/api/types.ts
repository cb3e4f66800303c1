// The shapes of the HTTP and WebSocket interface, as `schemas/` defines them.

export type RunState = 'queued' | 'running' | 'succeeded' | 'failed';
export type Step = RunState | 'receiving' | 'held';
export type CardState = 'empty' | 'receiving' | 'queued' | 'running' | 'done' | 'attention' | 'failed';

export interface BlobRef {
  sha256: string;
  /** bytes */
  size: number;
  media_type: string;
}

export interface Artefact {
  name: string;
  /** volume, key_slice, mip, render or strip */
  role: string;
  blob: BlobRef;
}

export interface Measure {
  name: string;
  value: number;
  /** UCUM */
  unit: string;
  label?: string | null;
}

export interface Finding {
  code: string;
  severity: 'info' | 'warning' | 'error';
  message: string;
}

export interface ReasonCount {
  reason: string;
  message: string;
  instances: number;
}

export interface SeriesAttributes {
  body_part_examined?: string | null;
  patient_sex?: string | null;
  /** DICOM AS, for example 054Y */
  patient_age?: string | null;
  series_description?: string | null;
  study_description?: string | null;
  rows?: number | null;
  columns?: number | null;
  /** mm */
  slice_thickness?: number | null;
}

export interface RunView {
  job: string;
  plugin: string;
  state: RunState;
  version: number;
  attempt: number;
  isolation: 'docker' | 'subprocess' | null;
  outcome: 'measured' | 'not_a_volume' | null;
  cause: string | null;
  seconds: number | null;
  artefacts: Artefact[];
  measures: Measure[];
  findings: Finding[];
}

/** How whole a version of a series is, as `docs/completeness.md` has it. */
export type Grade = 'quiescent' | 'complete_expected' | 'complete_assumed' | 'partial';
export type Lack = 'shortfall' | 'aborted' | 'lost' | 'refused' | 'unended' | 'number-gap' | 'position-gap';
export type Authority = 'announcement' | 'commitment' | 'query' | 'retrieve';

/** What is left out is empty, none or unknown. */
export interface Completeness {
  grade: Grade;
  received: number;
  lacks?: Lack[];
  expected?: number | null;
  by?: Authority | null;
  missing?: number;
  surplus?: number;
  numbers?: 'contiguous' | 'gaps' | 'unknown';
  /** Instance Numbers that are missing, both included; the first ones. */
  gaps?: { first: number; last: number }[];
  positions?: 'uniform' | 'gaps' | 'unknown';
  /** mm; the first ones. */
  holes?: { after: number; before: number; slices: number }[];
  /** Associations that broke off or are still open; the first ones. */
  broken?: string[];
  /** Associations that broke off when they had gone on to another series. */
  left?: number;
}

export interface SeriesView {
  study: string;
  series: string;
  modality: string;
  /** 0 while the first version is still arriving */
  version: number;
  anonymized: number;
  quarantined: number;
  conflicts: number;
  attributes: SeriesAttributes;
  reasons: ReasonCount[];
  run: RunView | null;
  /** Left out when 0.1 settled the version. */
  completeness?: Completeness;
  /** The first version with these images: a run on an earlier one lacks some. Left out when it is the first. */
  since?: number;
}

/** Start (s since 1970), images, bytes. */
export type Slice = [number, number, number];

export interface RefusalCount {
  kind: 'association' | 'object';
  reason: string;
  last: string;
  /** Start of a minute (s since 1970), how often. */
  minutes: [number, number][];
}

export interface IncompleteSeries {
  series: string;
  study: string;
  feed: string;
  modality: string;
  state: 'open' | Grade;
  images: number;
  last: string;
  missing?: number;
  lacks?: Lack[];
}

export type TestOutcome = 'ok' | 'unreachable' | 'tls-failed' | 'silent' | 'rejected' | 'no-echo' | 'failed';

/** The last `chips sources test`. */
export interface ConnectionTest {
  outcome: TestOutcome;
  at: string;
  seconds: number;
}

/** Who sends; what is left out is empty, none or never. */
export interface SourceView {
  source: string;
  version: number;
  is_configured?: boolean;
  since?: string;
  seen?: string;
  /** Open now. */
  associations?: number;
  images?: number;
  bytes?: number;
  /** Of 10 s. */
  recent?: Slice[];
  /** Of a minute. */
  minutes?: Slice[];
  refusals?: RefusalCount[];
  incomplete?: IncompleteSeries[];
  test?: ConnectionTest;
}

/** Why a text is null: its author was erased, or its server can't open it. */
export type Withheld = 'erased' | 'unreadable';

export interface CommentView {
  comment: string;
  author: string;
  posted: string;
  text: string | null;
  withheld?: Withheld | undefined;
  edited: string | null;
}

export interface InputView {
  study: string;
  patient: string;
}

export interface Card {
  project: string;
  feed: string;
  version: number;
  title: string;
  tags: string[];
  state: CardState;
  created: string;
  updated: string;
  patients: string[];
  studies: number;
  series: string[];
  modalities: string[];
  attributes: SeriesAttributes;
  anonymized: number;
  quarantined: number;
  conflicts: number;
  measured: number;
  not_volumes: number;
  failed: number;
  comments: number;
  people: string[];
  pictures: Artefact[];
  steps: Step[];
  /** Left out when nothing is in quarantine, and by cards that 0.1 wrote. */
  reasons?: ReasonCount[];
  /** Series that are partial; left out when none is, as the next three. */
  partial?: number;
  /** Images that are known to be missing, at least. */
  missing?: number;
  /** Series of which an association has not ended yet. */
  open?: number;
  /** Series whose newest run lacks images that came later. */
  outdated?: number;
}

export interface FeedDetail {
  card: Card;
  inputs: InputView[];
  series: SeriesView[];
  comments: CommentView[];
}

export type TimelineKind =
  | 'created'
  | 'renamed'
  | 'tagged'
  | 'untagged'
  | 'input'
  | 'series'
  | 'run'
  | 'comment'
  | 'edit';

export interface TimelineRow {
  seq: number;
  event: string;
  type: string;
  kind: TimelineKind;
  time: string;
  system: boolean;
  actor?: string | null;
  series?: string | null;
  job?: string | null;
  comment?: string | null;
  text?: string | null;
  withheld?: Withheld | undefined;
  state?: string | null;
  counts?: Record<string, number>;
  grade?: Grade | null;
}

export interface SeriesCounts {
  series: string;
  stored: number;
  anonymized: number;
  quarantined: number;
}

export interface User {
  id: string;
  name: string;
  display_name: string;
  roles: string[];
}

export interface Me {
  user: User;
  csrf: string;
  version?: string;
  dicom?: { ae: string; host: string; port: number };
}

export interface Person {
  id: string;
  display_name: string;
}

export interface StudyOption {
  study: string;
  patient: string;
  series: { series: string; modality: string }[];
  feeds: string[];
}

/** Answer of `/api/feeds`: the cards that changed last. */
export interface CardList {
  cards: Card[];
  counts: SeriesCounts[];
  /** How many cards, at least, are not among them; left out when none. */
  more?: number;
}

/** Answer of `/api/studies`: the studies that came last. */
export interface StudyList {
  studies: StudyOption[];
  /** How many studies are not among them; left out when none. */
  more?: number;
}

/** A CloudEvent of `chips.feed.v1`. `data` is narrowed by `type` where it is read. */
export interface FeedEvent {
  id: string;
  type: string;
  time: string;
  data: Record<string, unknown>;
  causationid?: string;
  authtype?: string;
  authid?: string;
  sequence?: string;
}

export type CommandBody =
  | { type: 'create'; body: { title: string } }
  | { type: 'rename'; body: { title: string } }
  | { type: 'tag' | 'untag'; body: { tag: string } }
  | { type: 'add_input'; body: { study: string } }
  | { type: 'post_comment' | 'edit_comment'; body: { comment: string; text: string } };

export type Command = { id: string; feed: string } & CommandBody;

export type ServerFrame =
  | { t: 'home' }
  | { t: 'card'; card: Card }
  | { t: 'ev'; feed: string; seq: number; event: FeedEvent }
  | { t: 'snap'; feed: string; version: number; detail: FeedDetail }
  | { t: 'head'; feed: string; version: number }
  | {
      t: 'progress';
      study: string;
      series: string;
      stored?: number | null;
      anonymized?: number | null;
      quarantined?: number | null;
    }
  | { t: 'job'; series: string; job: string; fraction: number; step: string }
  | { t: 'source'; source: SourceView }
  | { t: 'reply'; command: string; accepted: boolean; version?: number; reason?: string }
  | { t: 'bye'; code: string; reason: string; feed?: string };

export type ClientFrame =
  | { t: 'home' }
  | { t: 'sources' }
  | { t: 'sub'; feed: string; after: number }
  | { t: 'unsub'; feed: string };
