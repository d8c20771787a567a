// Files that are too large, or not text, made on the spot.
import { closeSync, openSync, writeSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { MODEL } from './portal.ts';

/** A file of good rows of about this size, with these at its end. */
export function bigFile(path: string, bytes: number, end: string): void {
  writeRows(path, end, (row, written) => (written < bytes ? `Device-${row},${MODEL},Friendly name ${row},Description of the device number ${row},Small\n` : undefined));
}

/** A file of so many good rows. */
export function millionRows(path: string, rows: number): void {
  writeRows(path, '', (row) => (row < rows ? `D${row},${MODEL}\n` : undefined));
}

function writeRows(path: string, end: string, rowAt: (row: number, written: number) => string | undefined): void {
  const out = openSync(path, 'w');
  let [text, written, row] = ['', 0, 0];
  for (let line = rowAt(0, 0); line !== undefined; line = rowAt(++row, written + text.length)) {
    text += line;
    if (text.length > 1 << 20) {
      written += writeSync(out, text);
      text = '';
    }
  }
  writeSync(out, text + end);
  closeSync(out);
}

/** The beginning of an .xlsx: a ZIP file with one entry. */
export function workbook(): Buffer {
  const name = Buffer.from('[Content_Types].xml');
  const content = Buffer.from('<?xml version="1.0"?><Types/>');
  const packed = deflateRawSync(content);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(packed.length, 18);
  head.writeUInt32LE(content.length, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, name, packed]);
}
