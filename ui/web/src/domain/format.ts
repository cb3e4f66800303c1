import { text } from '../texts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dateYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** `14:02` in the reader's time zone. */
export function clockTime(time: number): string {
  return clock.format(time);
}

/** The whole moment, for titles and assistive technology. */
export function fullTime(iso: string): string {
  return full.format(new Date(iso));
}

/** `just now`, `4 min ago`, `2 h ago`, `3 d ago`, then the date. */
export function relativeTime(iso: string, now: number): string {
  const then = Date.parse(iso);
  const past = Math.max(0, now - then);
  if (past < 45 * SECOND) return text.units.now;
  if (past < HOUR) return text.units.ago(text.units.minutes(Math.max(1, Math.round(past / MINUTE))));
  if (past < DAY) return text.units.ago(text.units.hours(Math.round(past / HOUR)));
  if (past < 7 * DAY) return text.units.ago(text.units.days(Math.round(past / DAY)));
  return dayName(iso, now);
}

/** A stretch of time, ms, in its one largest unit that says enough: `38 s`, `4 min`, `2 h`. */
export function timeSpan(ms: number): string {
  if (ms < SECOND) return '';
  if (ms < 2 * MINUTE) return text.units.seconds(Math.round(ms / SECOND));
  if (ms < 2 * HOUR) return text.units.minutes(Math.round(ms / MINUTE));
  if (ms < 2 * DAY) return text.units.hours(Math.round(ms / HOUR));
  return text.units.days(Math.round(ms / DAY));
}

/** `Today`, `Yesterday`, `12 Nov`, or with the year when it is another one. */
export function dayName(iso: string, now: number): string {
  const day = new Date(iso);
  const today = new Date(now);
  const days = Math.round((startOfDay(today) - startOfDay(day)) / DAY);
  if (days === 0) return text.timeline.today;
  if (days === 1) return text.timeline.yesterday;
  return (day.getFullYear() === today.getFullYear() ? date : dateYear).format(day);
}

/** The local day of a moment, as a key. */
export function dayKey(iso: string): string {
  const day = new Date(iso);
  return `${day.getFullYear()}-${day.getMonth() + 1}-${day.getDate()}`;
}

function startOfDay(day: Date): number {
  return Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
}

/** A DICOM age string (AS): `054Y` is `54 y`. */
export function age(dicom: string | null | undefined): string {
  const found = /^(\d{3})([DWMY])$/.exec(dicom ?? '');
  if (!found) return '';
  const n = Number(found[1]);
  if (found[2] === 'Y') return text.units.years(n);
  if (found[2] === 'M') return text.units.months(n);
  if (found[2] === 'W') return text.units.weeks(n);
  return text.units.ageDays(n);
}

/** Sex and age as far as they are known: `F, 54 y`. */
export function sexAndAge(sex: string | null | undefined, dicomAge: string | null | undefined): string {
  return [sex ? (text.units.sex[sex] ?? '') : '', age(dicomAge)].filter(Boolean).join(', ');
}

/** A UCUM unit as a person reads it. */
export function unit(ucum: string): string {
  if (ucum === '1') return '';
  if (ucum === "[hnsf'U]") return text.units.hounsfield;
  return ucum.replace(/^\{(.*)\}$/, '$1');
}

/** A measured number with as many digits as it deserves. */
export function measured(value: number, ucum: string): string {
  if (!Number.isFinite(value)) return '–';
  const digits =
    ucum === 'mL' || ucum === 'mm' ? (Math.abs(value) < 10 ? 2 : 1) : Math.abs(value) < 10 ? 2 : 0;
  const fixed = Number.isInteger(value) && ucum === '1' ? 0 : digits;
  return value.toLocaleString('en', { minimumFractionDigits: fixed, maximumFractionDigits: fixed });
}

/** Bytes as kB, MB or GB, decimal. */
export function bytes(size: number): string {
  if (size < 1e6) return `${Math.max(1, Math.round(size / 1e3))} kB`;
  if (size < 1e9) return `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`;
  return `${(size / 1e9).toFixed(1)} GB`;
}

/** Two letters for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = words[0]?.[0] ?? '?';
  const second = words.length > 1 ? (words.at(-1)?.[0] ?? '') : (words[0]?.[1] ?? '');
  return (first + second).toUpperCase();
}

/** One of `count` colours, always the same one for a name. */
export function hue(name: string, count: number): number {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % count;
}

/** Seconds of work: `7.4 s`, `3 min`. */
export function seconds(value: number): string {
  return value < 60
    ? text.units.seconds(Number(value.toFixed(value < 10 ? 1 : 0)))
    : timeSpan(value * SECOND);
}
