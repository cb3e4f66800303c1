import { Check, Clock3, Download, FolderPlus, Pencil, Play, Plus, ShieldCheck, Tag, X } from 'lucide-react';
import type { TimelineRow } from '../api/types';
import { nameOf } from '../domain/events';
import { Avatar } from '../parts/Avatar';
import css from './RowIcon.module.css';

const ICONS: Record<string, [typeof Check, string]> = {
  created: [Plus, 'quiet'],
  renamed: [Pencil, 'quiet'],
  tagged: [Tag, 'quiet'],
  untagged: [Tag, 'quiet'],
  'input.added': [FolderPlus, 'quiet'],
  'series.receiving': [Download, 'run'],
  'series.anonymized': [ShieldCheck, 'quiet'],
  'run.queued': [Clock3, 'quiet'],
  'run.started': [Play, 'run'],
  'run.succeeded': [Check, 'ok'],
  'run.failed': [X, 'error'],
};

/** A person's avatar, or what the system did as an icon. */
export function RowIcon({ row, name }: { row: TimelineRow; name: string }) {
  if (!row.system && row.actor) return <Avatar id={row.actor} name={name} />;
  const [Icon, tone] = ICONS[nameOf(row.type)] ?? [Clock3, 'quiet'];
  return (
    <span className={css.icon} data-tone={tone} aria-hidden="true">
      <Icon size={13} strokeWidth={2.4} />
    </span>
  );
}
