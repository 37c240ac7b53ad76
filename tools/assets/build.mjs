// Bundles the browser parts that come from npm into the static folder, with their licences beside them.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";

const target = "../../src/reefpoint/surfaces/web/static/web/vendor";
await mkdir(target, { recursive: true });

await build({
  entryPoints: ["echarts.js"],
  outfile: `${target}/echarts.js`,
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  legalComments: "none",
});
await copyFile("node_modules/idiomorph/dist/idiomorph-ext.min.js", `${target}/idiomorph.js`);
await copyFile(
  "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
  `${target}/inter.woff2`,
);

const notices = [];
for (const name of ["echarts", "zrender", "tslib", "idiomorph", "@fontsource-variable/inter"]) {
  const folder = `node_modules/${name}`;
  const { version } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const licence = await readFile(`${folder}/LICENSE`, "utf8").catch(() => readFile(`${folder}/LICENSE.txt`, "utf8"));
  notices.push(`${name} ${version}\n${"=".repeat(72)}\n${licence.trim()}\n`);
}
await writeFile(`${target}/NOTICES.txt`, notices.join("\n\n"));
