import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerFrame } from '../src/api/types';
import { MOST_MS } from '../src/live/backoff';
import { LiveSocket, link } from '../src/live/socket';

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  readonly url: string;

  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  end(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const latest = () => {
  const found = FakeSocket.all.at(-1);
  if (!found) throw new Error('no socket was made');
  return found;
};

describe('socket', () => {
  const listeners: Record<string, () => void> = {};
  const told = {
    onOpen: vi.fn(),
    onFrame: vi.fn<(frame: ServerFrame) => void>(),
    onRefused: vi.fn(),
    expectsHeads: () => true,
  };
  let socket: LiveSocket;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.clearAllMocks();
    FakeSocket.all = [];
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('window', {
      location: { protocol: 'https:', host: 'chips.example' },
      addEventListener: (name: string, listener: () => void) => {
        listeners[name] = listener;
      },
      removeEventListener: vi.fn(),
    });
    socket = new LiveSocket(told);
    socket.start();
  });

  afterEach(() => {
    socket.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('opens on the page’s own host and tells frames', () => {
    expect(latest().url).toBe('wss://chips.example/api/live');
    latest().open();
    expect(told.onOpen).toHaveBeenCalledOnce();
    expect(link.getState()).toMatchObject({ status: 'open', downSince: null });
    latest().onmessage?.({ data: '{"t":"home"}' });
    expect(told.onFrame).toHaveBeenCalledWith({ t: 'home' });
  });

  it('sends only when open', () => {
    socket.send({ t: 'home' });
    expect(latest().sent).toEqual([]);
    latest().open();
    socket.send({ t: 'home' });
    expect(latest().sent).toEqual(['{"t":"home"}']);
  });

  it('comes back after a loss, and remembers since when it was away', () => {
    latest().open();
    latest().end();
    expect(link.getState().status).toBe('down');
    const since = link.getState().downSince;
    vi.advanceTimersByTime(MOST_MS);
    expect(FakeSocket.all.length).toBeGreaterThan(1);
    latest().end();
    expect(link.getState().downSince).toBe(since);
    vi.advanceTimersByTime(MOST_MS);
    latest().open();
    expect(told.onOpen).toHaveBeenCalledTimes(2);
    expect(link.getState().downSince).toBeNull();
  });

  it('has one socket at a time', () => {
    latest().open();
    latest().end();
    listeners.online?.();
    const made = FakeSocket.all.length;
    latest().open();
    vi.advanceTimersByTime(2 * MOST_MS - 1);
    expect(FakeSocket.all.filter((one) => one.readyState === 1).length).toBeLessThanOrEqual(1);
    expect(made).toBe(2);
  });

  it('asks whether there still is a session when it was not let in, and not after a mere loss', () => {
    latest().open();
    latest().end();
    expect(told.onRefused).not.toHaveBeenCalled();
    vi.advanceTimersByTime(MOST_MS);
    latest().end();
    expect(told.onRefused).toHaveBeenCalledOnce();
  });

  it('knows that the session is over by the code', () => {
    latest().open();
    latest().end(4401);
    expect(told.onRefused).toHaveBeenCalledOnce();
  });

  it('takes silence, where heads are due, for a loss', () => {
    latest().open();
    vi.advanceTimersByTime(31_000);
    expect(link.getState().status).toBe('down');
  });

  it('hears frames as signs of life', () => {
    latest().open();
    for (let n = 0; n < 6; n += 1) {
      vi.advanceTimersByTime(10_000);
      latest().onmessage?.({ data: '{"t":"head","feed":"x","version":1}' });
    }
    expect(link.getState().status).toBe('open');
  });

  it('is down at once when the network is, and up when it is back', () => {
    latest().open();
    listeners.offline?.();
    expect(link.getState().status).toBe('down');
    listeners.online?.();
    latest().open();
    expect(link.getState().status).toBe('open');
  });

  it('stays closed after its end', () => {
    latest().open();
    socket.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
