/**
 * The package's copyright file (Debian's machine-readable form): ours, and that of everything that is inside the executable.
 * The licence of each npm package is what its own package.json says.
 */
import { closure, type Component, type Lock, programRoots } from "../sbom.ts";
import { runtimePackages } from "../runtimes.ts";

const ROOT = new URL("../../", import.meta.url);

/** Licences of the runtimes; both carry the notices of their own parts. */
const RUNTIME_NOTICE = `Files: usr/bin/porthole
Copyright: the porthole authors; the Deno authors; Node.js contributors; the V8 project authors; and the authors of the packages below
License: MIT and BSD-3-clause
Comment: The runtime (Deno, on armhf Node.js) is in the file as upstream distributes it, with V8 (BSD-3-clause) and further
 parts that its own LICENSE lists. The npm packages in it are:
`;

/** The whole file. Reads the cache of packages that bundling has filled. */
export async function copyrightText(): Promise<string> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const packages = await Promise.all(
    closure(lock, programRoots()).map(async (one) =>
      ` ${one.name} ${one.version}: ${await licenseOf(one)}\n`
    ),
  );
  const runtimes = runtimePackages().map(({ name, version }) => ` ${name} ${version}\n`);
  const mit = (await Deno.readTextFile(new URL("LICENSE", ROOT))).trim();
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: porthole

Files: *
Copyright: the porthole authors
License: MIT

${RUNTIME_NOTICE}${packages.join("")} .
 Runtimes come from these:
${runtimes.join("")}
License: MIT
${indented(mit)}

License: MIT and BSD-3-clause
 MIT is the text above. The BSD-3-clause text of V8 is the one of its own file LICENSE:
 .
 Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
 following conditions are met:
 .
 * Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.
 * Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
 * Neither the name of Google Inc. nor the names of its contributors may be used to endorse or promote products derived
   from this software without specific prior written permission.
 .
 THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
 INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
 SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES;
 LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
 CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS
 SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
`;
}

/** Continuation lines of Debian's control files: indented, with a dot where they would be empty. */
function indented(text: string): string {
  return text.split("\n").map((line) => line.trim() === "" ? " ." : ` ${line}`).join("\n");
}

async function licenseOf({ name, version }: Component): Promise<string> {
  const cache = `${Deno.env.get("DENO_DIR")}/npm`;
  for await (const { name: registry } of Deno.readDir(cache)) {
    const file = `${cache}/${registry}/${name}/${version}/package.json`;
    const text = await Deno.readTextFile(file).catch(() => undefined);
    const license = text === undefined ? undefined : JSON.parse(text).license;
    if (typeof license === "string") return license;
  }
  return "see the package";
}
