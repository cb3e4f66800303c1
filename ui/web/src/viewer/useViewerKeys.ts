import type { KeyboardEvent } from 'react';
import { rememberLayout } from './useViewer';
import type { Scene, Viewer } from './viewer';

/** Degrees of one key press. */
const TURN = 5;
/** Factor of one key press. */
const ZOOM = 1.1;
/** How far a press with Shift goes. */
const FAR = 10;

type Move = (viewer: Viewer, scene: Scene, times: number) => void;

const turn =
  (azimuth: number, elevation: number): Move =>
  (viewer, scene, times) =>
    viewer.setScene({
      azimuth: scene.azimuth + azimuth * TURN * Math.min(times, 3),
      elevation: scene.elevation + elevation * TURN * Math.min(times, 3),
    });

const zoom =
  (factor: number): Move =>
  (viewer, scene) =>
    viewer.setScene({
      zoom: scene.zoom * factor,
      pan: [scene.pan[0], scene.pan[1], scene.pan[2], scene.pan[3] * factor],
    });

const widen =
  (factor: number): Move =>
  (viewer, { window }) => {
    if (!window) return;
    const [low, high] = window;
    const half = ((high - low) / 2) * factor;
    viewer.setScene({ window: [(low + high) / 2 - half, (low + high) / 2 + half] });
  };

const COMMON: Record<string, Move> = {
  '+': zoom(ZOOM),
  '=': zoom(ZOOM),
  '-': zoom(1 / ZOOM),
  w: widen(ZOOM),
  s: widen(1 / ZOOM),
  r: (viewer) => viewer.reset(),
  '1': (viewer) => {
    rememberLayout('multiplanar');
    viewer.setScene({ layout: 'multiplanar' });
  },
  '2': (viewer) => {
    rememberLayout('volume');
    viewer.setScene({ layout: 'volume' });
  },
};

// The patient's right is on the left of the picture (radiological), so that the left arrow goes there.
const SLICES: Record<string, Move> = {
  ArrowLeft: (viewer, _, times) => viewer.nudge(times, 0, 0),
  ArrowRight: (viewer, _, times) => viewer.nudge(-times, 0, 0),
  ArrowUp: (viewer, _, times) => viewer.nudge(0, times, 0),
  ArrowDown: (viewer, _, times) => viewer.nudge(0, -times, 0),
  PageUp: (viewer, _, times) => viewer.nudge(0, 0, times),
  PageDown: (viewer, _, times) => viewer.nudge(0, 0, -times),
};

const VOLUME: Record<string, Move> = {
  ArrowLeft: turn(-1, 0),
  ArrowRight: turn(1, 0),
  ArrowUp: turn(0, -1),
  ArrowDown: turn(0, 1),
};

/** What keys do on the canvas. */
export function useViewerKeys(viewer: Viewer | null): (event: KeyboardEvent) => void {
  return (event) => {
    if (!viewer || event.ctrlKey || event.metaKey || event.altKey) return;
    const scene = viewer.getScene();
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const move = COMMON[key] ?? (scene.layout === 'volume' ? VOLUME : SLICES)[key];
    if (!move) return;
    event.preventDefault();
    move(viewer, scene, event.shiftKey ? FAR : 1);
  };
}
