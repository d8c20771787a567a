// Writes a .br and a .gz beside every text and WASM file of a folder, so that the server never compresses
// while someone waits. Usage: node scripts/compress.mjs FOLDER release|debug
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, kind] = process.argv.slice(2);
const quality = kind === "release" ? 11 : 4;
for (const name of readdirSync(folder)) {
  if (!/\.(wasm|js|css|svg|html|txt)$/.test(name)) continue;
  const bytes = readFileSync(join(folder, name));
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params }));
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: kind === "release" ? 9 : 3 }));
}
