import type { Point } from '../domain/coordinates';

// Where a world point lands on the canvas. Pure. Points are RAS mm here, as the engine has them.

/** A rectangle of the canvas: left, top, width, height. */
export type Rectangle = readonly [number, number, number, number];

/** The camera of a volume view: it looks at `pivot` from azimuth and elevation (degrees), orthographic. */
export interface Camera {
  azimuth: number;
  elevation: number;
  /** RAS mm */
  pivot: Point;
  /** Distance from the pivot to the farthest corner, mm. */
  reach: number;
  zoom: number;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Project with the camera of a volume view. NiiVue's: turn about z by azimuth, then about x by
 * elevation - 90, and scale so that 0.8 of the reach fits half of the shorter side. */
export function projectVolume(point: Point, camera: Camera, rectangle: Rectangle): [number, number] {
  const [left, top, width, height] = rectangle;
  const dx = point[0] - camera.pivot[0];
  const dy = point[1] - camera.pivot[1];
  const dz = point[2] - camera.pivot[2];
  const a = radians(camera.azimuth);
  const e = radians(camera.elevation - 90);
  const x = dx * Math.cos(a) - dy * Math.sin(a);
  const depth = dx * Math.sin(a) + dy * Math.cos(a);
  const y = depth * Math.cos(e) - dz * Math.sin(e);
  const half = (0.8 * camera.reach) / camera.zoom;
  const aspect = width / height;
  const halfWidth = aspect < 1 ? half : half * aspect;
  const halfHeight = aspect < 1 ? half / aspect : half;
  return [left + (1 + x / halfWidth) * 0.5 * width, top + (1 - y / halfHeight) * 0.5 * height];
}

/** Project with a column-major 4x4 model-view-projection matrix. */
export function projectMatrix(
  point: Point,
  matrix: ArrayLike<number>,
  rectangle: Rectangle,
): [number, number] {
  const [left, top, width, height] = rectangle;
  const at = (row: number): number =>
    (matrix[row] ?? 0) * point[0] +
    (matrix[4 + row] ?? 0) * point[1] +
    (matrix[8 + row] ?? 0) * point[2] +
    (matrix[12 + row] ?? 0);
  const w = at(3) || 1;
  return [left + (1 + at(0) / w) * 0.5 * width, top + (1 - at(1) / w) * 0.5 * height];
}

/** Signed distance of a point from a plane, mm. */
export function distanceFromPlane(
  point: Point,
  normal: ArrayLike<number>,
  onPlane: ArrayLike<number>,
): number {
  let sum = 0;
  for (let i = 0; i < 3; i += 1) sum += ((point[i] ?? 0) - (onPlane[i] ?? 0)) * (normal[i] ?? 0);
  return sum;
}
