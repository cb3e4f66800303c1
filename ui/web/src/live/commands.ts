// Commands of this tab: shown at once, sent until the server has decided, replaced by their own event.

import { ApiError, post, Unreachable } from '../api/client';
import type { Command, CommandBody } from '../api/types';
import { uuid7 } from '../domain/uuid';
import { backoff } from './backoff';
import { live, tell } from './store';

const KEY = 'chips.outbox';
/** Sendings of one command before the person is asked to decide. */
const MAX_ATTEMPTS = 12;

export type Outcome =
  | { kind: 'accepted'; version: number }
  | { kind: 'rejected'; reason: string }
  | { kind: 'undecided' };

/** Issue a command, show it as pending, and send it. Its id makes sending it again harmless. */
export function issue(feed: string, wish: CommandBody): Promise<Outcome> {
  return submit({ id: uuid7(), feed, ...wish });
}

/** Send a command (again). */
export async function submit(command: Command): Promise<Outcome> {
  tell({ kind: 'command', command, at: Date.now() });
  keep();
  const { id } = command;
  try {
    const answer = await post<{ version?: number }>('/api/commands', command);
    if (answer.status !== 202) {
      const version = answer.body.version ?? 0;
      tell({ kind: 'accepted', id, version });
      return { kind: 'accepted', version };
    }
    tell({ kind: 'command state', id, state: 'undecided', reason: null });
    again(command);
    return { kind: 'undecided' };
  } catch (error) {
    const later = error instanceof Unreachable || (error instanceof ApiError && error.status >= 500);
    const reason = error instanceof Error ? error.message : String(error);
    tell({ kind: 'command state', id, state: later ? 'waiting' : 'rejected', reason });
    if (later) again(command);
    return later ? { kind: 'undecided' } : { kind: 'rejected', reason };
  } finally {
    keep();
  }
}

/** Drop a command that was refused. */
export function discard(id: string): void {
  tell({ kind: 'discard', id });
  keep();
}

/** Send what waits, because the connection is back. */
export function resume(): void {
  for (const pending of Object.values(live.getState().pending)) {
    if (pending.state === 'waiting' || pending.state === 'undecided') void submit(pending.command);
  }
}

/** Take up what an earlier life of this tab had not finished. */
export function restore(account: string): void {
  const kept = read();
  if (kept?.account !== account) return;
  for (const command of kept.commands) void submit(command);
}

/** Keep unfinished commands over a reload of the tab. */
export function keep(): void {
  const commands = Object.values(live.getState().pending)
    .filter((pending) => pending.state !== 'rejected')
    .map((pending) => pending.command);
  if (commands.length) window.sessionStorage.setItem(KEY, JSON.stringify({ account: owner, commands }));
  else window.sessionStorage.removeItem(KEY);
}

let owner = '';

/** Name whose commands these are, so that nobody sends another's. */
export function own(account: string): void {
  owner = account;
}

function again(command: Command): void {
  const attempts = live.getState().pending[command.id]?.attempts ?? 0;
  if (attempts >= MAX_ATTEMPTS) return;
  setTimeout(() => {
    const pending = live.getState().pending[command.id];
    if (pending && pending.state !== 'sending' && pending.attempts === attempts) void submit(command);
  }, backoff(attempts, Math.random()) + 1000);
}

function read(): { account: string; commands: Command[] } | null {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY) ?? 'null') as {
      account: string;
      commands: Command[];
    } | null;
  } catch {
    return null;
  }
}
