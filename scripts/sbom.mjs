// Writes the SBOM of a release, CycloneDX 1.6 as JSON: every crate whose code is in the binary or in the page inside it.
// The same sources give the same bytes: there is no time and no serial number. Usage: node scripts/sbom.mjs FILE
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

// What `scripts/build` links. The first is the product; the other two are embedded into it.
const wasm = ["--target", "wasm32-unknown-unknown"];
const linked = [
  ["--package", "muster"],
  ["--package", "muster-app", "--features", "hydrate", ...wasm],
  ["--package", "muster-check", ...wasm],
];

// Normal dependencies include macros: these are not linked, but the code that they write is.
const tree = (args) => {
  const format = ["--edges", "normal", "--prefix", "depth", "--format", " {p}|{l}"];
  return execFileSync("cargo", ["tree", "--locked", ...args, ...format], { encoding: "utf8", maxBuffer: 1 << 26 });
};

// A version may have a `+`, which an address may not.
const purlOf = (name, version) => `pkg:cargo/${name}@${encodeURIComponent(version)}`;

const checksums = new Map(
  readFileSync("Cargo.lock", "utf8").split("[[package]]").map((entry) => {
    const value = (key) => entry.match(new RegExp(`^${key} = "(.*)"$`, "m"))?.[1];
    return [purlOf(value("name"), value("version")), value("checksum")];
  }),
);

const components = new Map();
const dependencies = new Map();
const add = (line, path) => {
  const [, depth, name, version, license] = line.match(/^(\d+) (\S+) v(\S+)[^|]*\|(.*?)(?: \(\*\))?$/);
  const purl = purlOf(name, version);
  const checksum = checksums.get(purl);
  components.set(purl, {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    ...(checksum && { hashes: [{ alg: "SHA-256", content: checksum }] }),
    // Cargo's old notation for a choice.
    ...(license && { licenses: [{ expression: license.replaceAll("/", " OR ") }] }),
    purl,
  });
  if (!dependencies.has(purl)) dependencies.set(purl, new Set());
  path.length = Number(depth);
  if (path.length > 0) dependencies.get(path.at(-1)).add(purl);
  path.push(purl);
};
for (const args of linked) {
  const path = [];
  for (const line of tree(args).trimEnd().split("\n")) add(line, path);
}

const roots = linked.map(([, root]) => [...components.values()].find(({ name }) => name === root).purl);
const [product, ...embedded] = roots;
for (const purl of embedded) dependencies.get(product).add(purl);
const metadata = { component: { ...components.get(product), type: "application" } };
components.delete(product);

const sorted = (purls) => [...purls].sort();
const bom = {
  $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata,
  components: sorted(components.keys()).map((purl) => components.get(purl)),
  dependencies: sorted(dependencies.keys()).map((ref) => ({ ref, dependsOn: sorted(dependencies.get(ref)) })),
};
writeFileSync(process.argv[2], `${JSON.stringify(bom, null, 2)}\n`);
