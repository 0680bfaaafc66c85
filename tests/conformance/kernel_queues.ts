/**
 * What Linux itself holds between two sockets of this machine. It takes up to ten megabytes off a writer's hands, which
 * would hide how much the reader took.
 */

/** Bytes that the writer's kernel took and the reader did not read: not yet sent, and arrived but unread. */
export async function unreadBytes(writerPort: number, readerPort: number): Promise<number> {
  let bytes = 0;
  for (const line of (await Deno.readTextFile("/proc/net/tcp")).split("\n").slice(1)) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    const [sending = 0, arrived = 0] = queues.split(":").map((text) => parseInt(text, 16));
    const ports = [local, remote].map((text) => parseInt(text.split(":")[1] ?? "", 16));
    if (ports[0] === writerPort && ports[1] === readerPort) bytes += sending;
    if (ports[0] === readerPort && ports[1] === writerPort) bytes += arrived;
  }
  return bytes;
}
