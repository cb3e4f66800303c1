import { type RefObject, useEffect, useRef, useState } from 'react';
import { getBytes } from '../api/client';
import { showViewer } from '../app/testHook';
import type { Layout, Viewer } from './viewer';

export type Phase = 'loading' | 'preparing' | 'ready' | 'failed';

const LAYOUT_KEY = 'chips.layout';

/** The layout that this reader chose last. */
export function layoutPreference(): Layout {
  return window.localStorage.getItem(LAYOUT_KEY) === 'volume' ? 'volume' : 'multiplanar';
}

/** Remember the layout. */
export function rememberLayout(layout: Layout): void {
  window.localStorage.setItem(LAYOUT_KEY, layout);
}

interface View {
  stage: RefObject<HTMLDivElement | null>;
  viewer: Viewer | null;
  phase: Phase;
  /** How much of the volume has come, 0 to 1; null when the size is unknown. */
  fraction: number | null;
  again: () => void;
}

/** A viewer with one volume, in a canvas of its own. The library comes when it is first needed. */
export function useViewer(url: string, name: string): View {
  const stage = useRef<HTMLDivElement>(null);
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [phase, setPhase] = useState<Phase>('loading');
  const [fraction, setFraction] = useState<number | null>(null);
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt starts from the beginning
  useEffect(() => {
    const place = stage.current;
    if (!place) return undefined;
    const ended = new AbortController();
    // A canvas whose context was given back can't be used again, so every viewer has a new one.
    const canvas = document.createElement('canvas');
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', name);
    canvas.setAttribute('aria-describedby', 'viewer-keys');
    place.prepend(canvas);
    let made: Viewer | null = null;
    const open = async () => {
      const library = import('./niivue');
      const volume = await getBytes(url, ended.signal, setFraction);
      const { createViewer } = await library;
      if (ended.signal.aborted) return;
      setPhase('preparing');
      made = await createViewer(canvas, layoutPreference());
      if (ended.signal.aborted) {
        made.dispose();
        return;
      }
      await made.load([{ name: 'volume', bytes: volume }]);
      if (ended.signal.aborted) return;
      setViewer(made);
      setPhase('ready');
      showViewer(made, canvas);
    };
    open().catch((error: unknown) => {
      if (ended.signal.aborted) return;
      // Whatever the library throws at a volume it can't draw, the pictures remain.
      reportError(error);
      setPhase('failed');
    });
    return () => {
      ended.abort();
      showViewer(null, null);
      setViewer(null);
      setPhase('loading');
      made?.dispose();
      canvas.remove();
    };
  }, [url, name, attempt]);

  return { stage, viewer, phase, fraction, again: () => setAttempt((before) => before + 1) };
}
