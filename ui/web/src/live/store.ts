import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { ClientFrame } from '../api/types';
import { EMPTY, type LiveState } from './state';
import { type Input, step } from './step';

/** The tab's one store of what the server told. */
export const live = createStore<LiveState>(() => EMPTY);

let ask: (frame: ClientFrame) => void = () => undefined;

/** Connect the store to whatever carries its questions to the server. */
export function connect(send: (frame: ClientFrame) => void): void {
  ask = send;
}

/** Take an input in: change the state, and ask what follows from it. */
export function tell(input: Input): void {
  const { state, asks } = step(live.getState(), input);
  if (state !== live.getState()) live.setState(state, true);
  for (const frame of asks) ask(frame);
}

/** Forget everything, at logout. */
export function forget(): void {
  live.setState(EMPTY, true);
}

/** Read a part of the state in a component. */
export function useLive<T>(select: (state: LiveState) => T): T {
  return useStore(live, select);
}
