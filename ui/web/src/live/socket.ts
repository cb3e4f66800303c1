// The tab's one WebSocket: opens it, keeps it open, hands frames on. What frames mean is decided in `step`.

import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { ClientFrame, ServerFrame } from '../api/types';
import { backoff } from './backoff';

export interface Link {
  status: 'connecting' | 'open' | 'down';
  /** Since when it is not open, Unix ms; null while open. */
  downSince: number | null;
  /** When the last frame came, Unix ms. */
  heard: number | null;
}

/** A followed feed has a head every 10 s; a socket that is silent for longer is dead without knowing it. */
const SILENCE_MS = 25_000;
const WATCH_MS = 5_000;
/** The server closed because the session is over. */
const SESSION_OVER = 4401;

export const link = createStore<Link>(() => ({ status: 'connecting', downSince: Date.now(), heard: null }));

/** Read the state of the connection in a component. */
export function useLink<T>(select: (state: Link) => T): T {
  return useStore(link, select);
}

export interface Listener {
  onOpen: () => void;
  onFrame: (frame: ServerFrame) => void;
  /** A whole attempt failed, or the session is over: see whether there still is a session. */
  onRefused: () => void;
  /** Heads are due, so silence means a dead connection. */
  expectsHeads: () => boolean;
}

/** Keeps one WebSocket to `/api/live` open until stopped. */
export class LiveSocket {
  readonly #listener: Listener;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #attempt = 0;
  #stopped = true;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    window.addEventListener('online', this.#now);
    window.addEventListener('offline', this.#lost);
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    window.removeEventListener('online', this.#now);
    window.removeEventListener('offline', this.#lost);
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#drop();
    link.setState({ status: 'connecting', downSince: Date.now(), heard: null });
  }

  /** Send when open; what is asked while it is not is asked again by `onOpen`. */
  send(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#drop();
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${window.location.host}/api/live`);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#attempt = 0;
      link.setState({ status: 'open', downSince: null, heard: Date.now() });
      this.#listener.onOpen();
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      link.setState({ heard: Date.now() });
      this.#listener.onFrame(JSON.parse(message.data) as ServerFrame);
    };
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#waitAndOpen();
      if (event.code === SESSION_OVER || !opened) this.#listener.onRefused();
    };
  }

  #waitAndOpen(): void {
    if (this.#stopped) return;
    link.setState((before) => ({ status: 'down', downSince: before.downSince ?? Date.now() }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), backoff(this.#attempt, Math.random()));
    this.#attempt += 1;
  }

  #look(): void {
    const { heard, status } = link.getState();
    if (status !== 'open' || heard === null || !this.#listener.expectsHeads()) return;
    if (Date.now() - heard > SILENCE_MS) this.#lost();
  }

  readonly #lost = (): void => {
    if (!this.#socket) return;
    this.#drop();
    this.#waitAndOpen();
  };

  readonly #now = (): void => {
    if (link.getState().status === 'open') return;
    this.#attempt = 0;
    this.#open();
  };

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
