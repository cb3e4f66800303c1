// World coordinates are millimetres in DICOM's patient system, LPS: x to the patient's left, y to the
// back, z to the head. NIfTI and its viewers use RAS: x to the right, y to the front.

export type Point = readonly [number, number, number];

/** Turn LPS mm into RAS mm, or back: the same flip of x and y. */
export function flipLpsRas(point: Point): [number, number, number] {
  return [negate(point[0]), negate(point[1]), point[2]];
}

/** Say a LPS point as a person reads it: `L 27, A 28, S 5`, whole mm. */
export function sayLps(
  point: Point,
  names: {
    left: string;
    right: string;
    anterior: string;
    posterior: string;
    superior: string;
    inferior: string;
  },
): string {
  const [x, y, z] = point;
  return [
    `${x >= 0 ? names.left : names.right} ${Math.abs(Math.round(x))}`,
    `${y >= 0 ? names.posterior : names.anterior} ${Math.abs(Math.round(y))}`,
    `${z >= 0 ? names.superior : names.inferior} ${Math.abs(Math.round(z))}`,
  ].join(', ');
}

// -0 is equal to 0 but prints and compares (Object.is) as another number.
function negate(value: number): number {
  return value === 0 ? 0 : -value;
}
