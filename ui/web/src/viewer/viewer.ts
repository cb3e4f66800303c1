import type { Point } from '../domain/coordinates';

// Our own interface to whatever engine draws volumes. Coordinates are LPS mm throughout; the engine's
// own system stays behind it. Nothing of React in here.

export type Layout = 'multiplanar' | 'volume';
export type DragTool = 'crosshair' | 'window';
export type TileKind = 'axial' | 'coronal' | 'sagittal' | 'volume';

/** Everything that another person would need to see the same. */
export interface Scene {
  layout: Layout;
  /** LPS mm */
  crosshair: Point;
  /** degrees */
  azimuth: number;
  /** degrees */
  elevation: number;
  /** of the volume view; 1 is the whole volume */
  zoom: number;
  /** Pan of the slices, LPS mm, and their zoom. */
  pan: readonly [number, number, number, number];
  /** Displayed intensities, in the volume's own unit; null before a volume is there. */
  window: readonly [number, number] | null;
}

/** A volume to draw, in drawing order. */
export interface Layer {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** NiiVue's name of a colour map. */
  colormap?: string;
  opacity?: number;
}

/** A tile of the canvas, in CSS pixels from its top left corner. */
export interface Tile {
  kind: TileKind;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where a world point is drawn, in CSS pixels from the canvas's top left corner. */
export interface Projection {
  tile: Tile;
  x: number;
  y: number;
  /** Distance from the slice that the tile shows, mm; 0 in the volume view. */
  offPlane: number;
}

/** What lies under a canvas position or the crosshair. */
export interface Sample {
  /** LPS mm */
  point: Point;
  /** In the volume's own unit; null outside of it. */
  value: number | null;
}

export interface ViewerEvents {
  /** The scene changed, whoever changed it; at most once a frame. */
  scene: Scene;
}

export interface Viewer {
  /** Draw these volumes, the first as the background, and forget the earlier ones. */
  load(layers: readonly Layer[]): Promise<void>;
  /** Change colour map or opacity of the layers that are loaded. */
  setLayers(layers: readonly Pick<Layer, 'colormap' | 'opacity'>[]): Promise<void>;
  getScene(): Scene;
  setScene(scene: Partial<Scene>): void;
  setTool(tool: DragTool): void;
  /** Back to the whole volume, its centre and its own window. */
  reset(): void;
  on<K extends keyof ViewerEvents>(event: K, listener: (detail: ViewerEvents[K]) => void): () => void;
  /** What lies under a canvas position, CSS pixels; null where there is no tile. */
  pick(x: number, y: number): Promise<Sample | null>;
  /** What lies under the crosshair. */
  probe(): Sample;
  tiles(): Tile[];
  /** Where an LPS point is drawn in each tile. */
  project(point: Point): Projection[];
  /** The present picture, drawn anew, as PNG. */
  screenshot(): Promise<Blob>;
  /** RGBA of the present picture, drawn anew: rows from the top, device pixels. */
  pixels(): { width: number; height: number; data: Uint8Array };
  /** Move the crosshair by voxels of the background volume, along right, front and head. */
  nudge(right: number, front: number, head: number): void;
  /** Give the graphics memory back. Nothing works afterwards. */
  dispose(): void;
}

/** Whether this browser can draw volumes at all. */
export function canRender(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  if (!context) return false;
  // A browser allows only some 16 contexts at a time: give this one back at once.
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return true;
}
