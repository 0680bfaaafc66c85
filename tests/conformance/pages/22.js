import { all, check, frame, message, once, orNothing } from "./harness.js";

const INNER = (name) =>
  `<p>inner</p><script>
  const image = new Image();
  const tell = (value) => parent.postMessage({ name: ${JSON.stringify(name)}, value }, "*");
  image.onload = () => tell("loaded " + image.naturalWidth);
  image.onerror = () => tell("error");
  image.src = "${location.origin}/picture?${name}";
</` + `script>`;

function appended(attributes) {
  return document.body.appendChild(
    Object.assign(document.createElement("iframe"), attributes),
  );
}

await all({
  "plain": () => {
    const heard = message("plain");
    appended({ src: "/inner?name=plain" });
    return heard;
  },
  "nested": () => {
    const heard = message("nested");
    appended({ src: "/nested" });
    return heard;
  },
  "srcdoc": () => {
    const heard = message("srcdoc");
    appended({ srcdoc: INNER("srcdoc") });
    return heard;
  },
  "written": () => {
    const heard = message("written");
    const { contentDocument } = appended({});
    contentDocument.open();
    contentDocument.write(INNER("written"));
    contentDocument.close();
    return heard;
  },
  "blank with an image": async () => {
    const inner = appended({}).contentDocument;
    const image = inner.createElement("img");
    image.src = "/picture?blank";
    const over = Promise.race([once(image, "load"), once(image, "error")]);
    inner.body.append(image);
    return (await over).type;
  },
  "blank with fetch": async () => {
    const { contentWindow } = appended({});
    return (await contentWindow.fetch("/picture?fetch")).status;
  },
  "blob": () => {
    const heard = message("blob");
    appended({ src: URL.createObjectURL(new Blob([INNER("blob")], { type: "text/html" })) });
    return heard;
  },
  "javascript:": async () => {
    const element = appended({ src: "javascript:'<p id=p>by script</p>'" });
    await once(element, "load");
    return element.contentDocument.querySelector("#p")?.textContent ?? null;
  },
  "sandbox with same origin": () => {
    const heard = message("boxed");
    const element = document.createElement("iframe");
    element.sandbox = "allow-scripts allow-same-origin";
    element.src = "/inner?name=boxed";
    document.body.append(element);
    return heard;
  },
  "sandbox": () => {
    const heard = orNothing(message("alone"));
    const element = document.createElement("iframe");
    element.sandbox = "allow-scripts";
    element.src = "/inner?name=alone";
    document.body.append(element);
    return heard;
  },
  "object": async () => {
    const element = document.createElement("object");
    element.type = "image/svg+xml";
    element.data = "/object";
    const over = Promise.race([once(element, "load"), once(element, "error")]);
    document.body.append(element);
    return (await over).type;
  },
  "embed": async () => {
    const element = document.createElement("embed");
    element.type = "image/svg+xml";
    element.src = "/object?embed";
    const over = Promise.race([once(element, "load"), once(element, "error")]);
    document.body.append(element);
    return (await over).type;
  },
  "named target": async () => {
    const element = await frame("about:blank", { name: "named" });
    const loaded = once(element, "load");
    const link = Object.assign(document.createElement("a"), {
      href: "/inner?name=x",
      target: "named",
    });
    document.body.append(link);
    link.click();
    await loaded;
    return element.contentDocument.querySelector("p").textContent;
  },
});
await check("sync XHR", () => {
  const request = new XMLHttpRequest();
  request.open("GET", "/picture?sync", false);
  request.send();
  return request.status;
});
await check("location of a frame", () => {
  const element = appended({});
  return [element.contentWindow.location.href, element.contentDocument.URL, element.src];
});
await check("popup with an opener", () => {
  const heard = message("popup");
  const popup = open("/inner?name=popup");
  return heard.finally(() => popup?.close());
}, 20_000);
