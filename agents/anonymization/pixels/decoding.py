"""The process in which foreign compressed pictures are decoded, started as a program of its own.

Decoders are C++ that a damaged picture can bring down, and the process with it: here that ends one object.
The process limits its own memory, time and files, and knows nothing but what it is sent: requests on standard
input, answers on standard output, until the input ends.
"""

from __future__ import annotations

import importlib
import resource
import struct
import sys
from typing import IO, Any

import msgspec

MEMORY = 4 * 1024 * 1024 * 1024
"""Bytes of address space."""
SECONDS = 600
"""Of processor time, for all frames of an object."""
_FILES = 32
_LENGTHS = struct.Struct("<II")
_LENGTH = struct.Struct("<Q")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A picture to be decoded; its bytes follow. All is checked by who asks, and believed here.

    Attributes
    ----------
    decoder
        ``gdcm`` or ``charls``.
    syntax, photometric
        As the object says.
    rows, columns, samples, precision, signed
        As the picture's own head says, too.
    """

    decoder: str
    syntax: str
    photometric: str
    rows: int
    columns: int
    samples: int
    precision: int
    signed: bool


def send(stream: IO[bytes], request: Request, image: bytes) -> None:
    """Write a request."""
    head = msgspec.json.encode(request)
    stream.write(_LENGTHS.pack(len(head), len(image)) + head + image)
    stream.flush()


def answer(stream: IO[bytes], most: int) -> bytes | None:
    """Read an answer: samples, by pixel, little endian; None: there is none, or it is longer than `most`."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > most:
        return None
    found = stream.read(size)
    return found if len(found) == size else None


def main() -> None:
    """Answer requests until there are no more; one that can't be decoded ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(nothing, (0, 0))
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := requests.read(_LENGTHS.size)) == _LENGTHS.size:
        head_size, image_size = _LENGTHS.unpack(head)
        request = msgspec.json.decode(requests.read(head_size), type=Request)
        image = requests.read(image_size)
        found = _by_charls(image) if request.decoder == "charls" else _by_gdcm(image, request)
        answers.write(_LENGTH.pack(len(found)))
        answers.write(found)
        answers.flush()


def _by_charls(image: bytes) -> bytes:
    library: Any = importlib.import_module("jpeg_ls")
    buffer, info = library.decode_pixel_data(image)
    found = bytes(buffer)
    if info["components"] == 1 or info["interleave_mode"] != 0:
        return found
    # by plane
    width = 1 if info["bits_per_sample"] <= 8 else 2  # noqa: PLR2004 - bits of a byte
    size, joined = len(found) // info["components"], bytearray(len(found))
    for plane in range(info["components"]):
        part = found[plane * size : (plane + 1) * size]
        for byte in range(width):
            joined[plane * width + byte :: width * info["components"]] = part[byte::width]
    return bytes(joined)


def _by_gdcm(image: bytes, request: Request) -> bytes:
    gdcm: Any = importlib.import_module("gdcm")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(image)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    asked = gdcm.Image()
    asked.SetNumberOfDimensions(2)
    asked.SetDimensions((request.columns, request.rows, 1))
    asked.SetDataElement(element)
    colours = gdcm.PhotometricInterpretation.GetPIType(request.photometric)
    asked.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(colours))
    if request.samples > 1:
        asked.SetPlanarConfiguration(0)
    asked.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(request.syntax)))
    bits = request.precision
    width = next(width for width in (8, 16, 32) if bits <= width)
    asked.SetPixelFormat(gdcm.PixelFormat(request.samples, width, bits, bits - 1, int(request.signed)))
    # It gives its bytes as text.
    return bytes(asked.GetBuffer().encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
