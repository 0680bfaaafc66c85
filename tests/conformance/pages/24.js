import { all, json, message, once, orNothing, text } from "./harness.js";

const { own, other, socket: socketAddress } = await json("/addresses");

async function drawn(address) {
  const image = new Image();
  image.src = address;
  const { type } = await Promise.race([once(image, "load"), once(image, "error")]);
  return type === "load" ? image.naturalWidth : type;
}

await all({
  "image": () => drawn(`${own}/picture`),
  "image of another device": () => drawn(`${other}/picture`),
  "fetch": () => text(`${own}/fine`),
  "script": async () => {
    const script = document.createElement("script");
    script.src = `${own}/script.js`;
    const over = Promise.race([once(script, "load"), once(script, "error")]);
    document.body.append(script);
    return [(await over).type, globalThis.absoluteScript === true];
  },
  "WebSocket": async () => {
    const socket = new WebSocket(socketAddress);
    await Promise.race([
      once(socket, "open"),
      once(socket, "error").then(() => Promise.reject(new Error())),
    ]);
    socket.send("echo");
    return (await once(socket, "message")).data;
  },
  "frame": () => {
    const heard = message("page");
    document.body.append(Object.assign(document.createElement("iframe"), { src: `${own}/page` }));
    return orNothing(heard);
  },
  "link": async () => {
    const element = document.createElement("iframe");
    element.src = "/links";
    document.body.append(element);
    await once(element, "load");
    element.contentDocument.querySelector("#own").click();
    await orNothing(once(element, "load"));
    return element.contentDocument?.querySelector("#p")?.textContent ?? "nothing";
  },
});
