import { all, frame, text } from "./harness.js";

const PATHS = {
  "double slashes": "/echo//a//b/",
  "%2F stays": "/echo/a%2Fb%2f",
  "empty query": "/echo?",
  "empty query and fragment": "/echo?#fragment",
  "fragment": "/echo#fragment",
  "repeated keys": "/echo?a=1&a=2&a=&=&&",
  "plus and space": "/echo?a=+%20b c",
  "not ASCII": "/echo/grüß/日本?q=ö日",
  "bad escapes": "/echo/%zz%%2?%",
  "dots": "/echo/a/../b/./c/%2e%2e/d",
  "quotes and brackets": `/echo/'"<>|^\`{}[]\\x?'"<>|^\`{}[]\\x`,
  "semicolons and more": "/echo/;p=1,2/@:!$&()*=~",
  "NUL": "/echo/%00?%00",
  "long": `/echo/${"x".repeat(6000)}?${"y".repeat(6000)}`,
  "absolute": `${location.origin}/echo//x`,
  "path that begins with two": `${location.origin}//echo`,
};

await all({
  ...Object.fromEntries(Object.entries(PATHS).map(([name, path]) => [name, () => text(path)])),
  "navigation": async () => {
    const { contentDocument } = await frame("/echo//frame/%2F?&=%20+#x");
    return contentDocument.body.innerText;
  },
  "navigation by form": async () => {
    const form = document.createElement("form");
    form.action = "/echo/form?gone=1";
    form.target = "target";
    form.innerHTML = `<input name="q" value="ä &+"><input name="q" value="">`;
    const element = await frame("about:blank", { name: "target" });
    document.body.append(form);
    const loaded = new Promise((resolve) => element.onload = resolve);
    form.submit();
    await loaded;
    return element.contentDocument.body.innerText;
  },
});
