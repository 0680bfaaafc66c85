import assert from "node:assert/strict";
import { utf8 } from "../lib/bytes.ts";
import { verify } from "../trust/ed25519.ts";
import { deviceId, deviceIdText, keyId } from "../trust/key_id.ts";
import { openSealed, sealTo } from "../trust/seal.ts";
import { Identity } from "./identity.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    await test(`${parent}/state`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("identity is made on the first run and kept, readable by its owner only", async () => {
  await inFolder(async (folder) => {
    const first = await Identity.load(folder);
    assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
    const files = (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
    assert.deepEqual(files, ["device_key.json", "sealing_keys.json"]);
    for (const file of files) {
      assert.equal((await Deno.stat(`${folder}/${file}`)).mode! & 0o777, 0o600);
    }
    const again = await Identity.load(folder);
    assert.deepEqual(again.signer.publicKey, first.signer.publicKey);
    assert.equal(again.name, first.name);
    assert.equal(first.name, deviceIdText(await deviceId(first.signer.publicKey)));
    assert.deepEqual(again.sealing.map((key) => key.publicKey), [first.sealing[0]!.publicKey]);
    const signature = await again.signer.sign(utf8("message"));
    assert.equal(await verify(first.signer.publicKey, utf8("message"), signature), true);
    assert.equal(again.sealing[0]!.pair.privateKey.extractable, false);
  });
});

Deno.test("identity has a fingerprint to compare, and a secret for passes that outlives restarts", async () => {
  await inFolder(async (folder) => {
    const [first, again] = [await Identity.load(folder), await Identity.load(folder)];
    assert.match(first.fingerprint, /^([0-9a-f]{4} ){15}[0-9a-f]{4}$/);
    assert.equal(again.fingerprint, first.fingerprint);
    assert.deepEqual(first.keyId, await keyId(first.signer.publicKey));
    assert.equal(first.passSecret.length, 32);
    assert.deepEqual(again.passSecret, first.passSecret);
    const other = await Identity.load(`${folder}/other`);
    assert.notDeepEqual(other.passSecret, first.passSecret);
    const age = Date.now() / 1000 - await first.sealingKeyMadeAt();
    assert.ok(age >= 0 && age < 60, String(age));
  });
});

Deno.test("identity opens with the previous sealing key after a rotation, not with the one before", async () => {
  await inFolder(async (folder) => {
    const identity = await Identity.load(folder);
    const old = identity.sealing[0]!;
    const info = utf8("info");
    const sealing = await sealTo(old.publicKey, info);
    const sealed = await sealing.seal(utf8("text"), info);
    await identity.rotateSealingKey();
    const loaded = await Identity.load(folder);
    assert.deepEqual(loaded.sealing.map((key) => key.epoch), [2, 1]);
    const message = { enc: sealing.enc, info, additional: info, sealed };
    assert.deepEqual(await openSealed(loaded.sealing[1]!, message), utf8("text"));
    await identity.rotateSealingKey();
    assert.deepEqual(identity.sealing.map((key) => key.epoch), [3, 2]);
    assert.equal(identity.sealing.some((key) => key.epoch === old.epoch), false);
  });
});

Deno.test("identity names a damaged file and the remedy, and leaves the file as it is", async () => {
  await inFolder(async (folder) => {
    await Identity.load(folder);
    for (
      const [file, remedy] of [["device_key.json", /everyone must pair again/], [
        "sealing_keys.json",
        /everyone stays paired/,
      ]] as const
    ) {
      const path = `${folder}/${file}`;
      const whole = await Deno.readTextFile(path);
      const { keys, ...head } = JSON.parse(whole);
      const [key] = keys;
      const other = key.private.slice(0, -3) + (key.private.at(-3) === "A" ? "B" : "A") +
        key.private.slice(-2);
      const damaged = [
        "",
        "null",
        "[]",
        whole.slice(0, -5),
        JSON.stringify({ ...head, keys: [] }),
        JSON.stringify({ ...head, algorithm: "RSA", keys }),
        JSON.stringify({ ...head, keys: [{ ...key, epoch: 0 }] }),
        JSON.stringify({ ...head, keys: [{ ...key, private: "" }] }),
        JSON.stringify({ ...head, keys: [{ ...key, private: other }] }),
        JSON.stringify({ ...head, keys: [{ ...key, public: key.private }] }),
        " ".repeat(5000),
      ];
      for (const text of damaged) {
        await Deno.writeTextFile(path, text);
        await assert.rejects(Identity.load(folder), (error: Error) => {
          assert.match(
            error.message,
            new RegExp(`^Cannot read the device's keys in '.*${file}': its? `),
          );
          assert.match(error.message, remedy);
          assert.equal(error.message.includes(key.private), false);
          return true;
        });
        assert.equal(await Deno.readTextFile(path), text);
      }
      await Deno.writeTextFile(path, whole);
    }
    assert.ok(await Identity.load(folder));
  });
});

Deno.test("identity tightens the mode of a key file that others could read", async () => {
  await inFolder(async (folder) => {
    await Identity.load(folder);
    await Deno.chmod(`${folder}/device_key.json`, 0o644);
    await Identity.load(folder);
    assert.equal((await Deno.stat(`${folder}/device_key.json`)).mode! & 0o777, 0o600);
  });
});

Deno.test("identity says what to do when the folder cannot be made", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(folder, "a file");
    for (const path of [folder, `${folder}/below`]) {
      await assert.rejects(Identity.load(path), {
        message: `Cannot create the device's identity in '${path}': a part of the path is not a ` +
          "folder. Give the user that runs porthole write access, or name another folder with --state",
      });
    }
  });
});

Deno.test({
  name: "identity says what to do when the folder may not be written",
  ignore: Deno.uid() === 0, // root may write everywhere
  async fn() {
    await inFolder(async (folder) => {
      await Deno.mkdir(folder, { mode: 0o500 });
      await assert.rejects(Identity.load(folder), /permission denied\. Give the user/);
    });
  },
});

Deno.test("identity says in words that a file system such as /proc takes no folder", async () => {
  await assert.rejects(
    Identity.load("/proc/porthole"),
    /'\/proc\/porthole': the file system takes no folder there\. Give the user/,
  );
});
